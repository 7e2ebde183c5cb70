#pragma once

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "director/engine/event.h"
#include "director/engine/problems.h"
#include "director/resources/resource_group.h"
#include "director/resources/service_units.h"
#include "net/loop.h"
#include "net/time_text.h"
#include "vrrp/status.h"

namespace director {

/// The units that run where a virtual router, or its sync group, is master. Without any in the cluster file it does
/// nothing, and reaches for no service manager.
class RoleResources {
 public:
  struct Hooks {
    std::function<std::vector<vrrp::Status>()> routers;
    std::function<void(Event event)> report;
    /// failure() of a router is another one than before.
    std::function<void()> on_failure_changed;
  };

  /// `loop` must outlive this. Without `make_units` resources are left alone.
  RoleResources(net::Loop& loop, Hooks hooks, MakeServiceUnits make_units);
  ~RoleResources();
  RoleResources(const RoleResources&) = delete;
  RoleResources& operator=(const RoleResources&) = delete;

  /// From now on those of `cluster`. A unit that is not in it any more is left as it is.
  void set(const config::Cluster& cluster);

  /// What becomes of the roles. May be called by a vrrp::Listener.
  void on_transition(const vrrp::Transition& transition);
  /// The role was given away, and nobody took it.
  void on_unrelieved(const std::string& router);

  /// Stops what runs with the router's role, and then calls `then`: at once where nothing does, at the latest when the
  /// stop limits of all have passed.
  void release(const std::string& router, std::function<void()> then);
  void release_all(const std::function<void()>& then);
  /// Leaves all as it is from now on, whatever becomes of the roles.
  void abandon() { groups_.clear(); }

  /// Why a router must give its role up; empty where it need not.
  [[nodiscard]] std::string failure(const std::string& router) const;
  /// How long release_all() may take.
  [[nodiscard]] std::chrono::milliseconds stop_time() const;
  [[nodiscard]] std::vector<Problem> problems() const;
  /// `resources` of a router in the status, in the order of the cluster file; `wall` tells the time of an Instant.
  [[nodiscard]] nlohmann::ordered_json status(const std::string& router,
                                              const std::function<net::WallTime(net::Instant)>& wall) const;

 private:
  /// The routers of one role.
  struct Group {
    std::vector<std::string> routers;  ///< its members, also those that have no resources
    std::vector<std::string> owners;   ///< of each resource
    ResourceGroup units{{}};
    bool leads = false;
    std::vector<std::function<void()>> when_released{};
  };

  [[nodiscard]] static std::vector<Group> groups_of(const config::Cluster& cluster);
  [[nodiscard]] static bool share_a_router(const Group& one, const Group& other);
  void adopt(Group& group, const config::Cluster& cluster);
  [[nodiscard]] Group* find(const std::string& router);
  [[nodiscard]] const Group* find(const std::string& router) const;
  [[nodiscard]] ServiceUnits::Callbacks unit_callbacks();
  void with_unit(const std::string& unit, const std::function<void(Group& group, std::size_t resource)>& then);
  [[nodiscard]] net::Instant start_from(const Group& group) const;
  void look_for_masters();
  void perform(Group& group, const ResourceGroup::Actions& actions);
  void tell(const Group& group, const ResourceGroup::Action& action);
  void lost(const std::string& why);
  void later(std::function<void()> what);
  void arm();
  void on_timer();

  net::Loop& loop_;
  Hooks hooks_;
  MakeServiceUnits make_units_;
  std::vector<Group> groups_;
  std::string lost_;  ///< why the service manager cannot be reached, as last told
  std::vector<std::function<void()>> later_;
  net::Loop::Id timer_ = 0, later_timer_ = 0, look_timer_ = 0;
  std::unique_ptr<ServiceUnits> units_;  ///< none while there are no resources; its end calls nobody
};

}  // namespace director
