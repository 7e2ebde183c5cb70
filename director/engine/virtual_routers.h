#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "director/engine/event.h"
#include "director/engine/request_error.h"
#include "director/engine/trackers.h"
#include "net/error.h"
#include "net/loop.h"
#include "vrrp/desired_routers.h"
#include "vrrp/listener.h"

namespace net {
class Host;
}  // namespace net

namespace vrrp {
class Routers;
}  // namespace vrrp

namespace director {

/// This node's virtual routers as the cluster file wants them, and what decides when they may lead.
class VirtualRouters : private vrrp::Listener {
 public:
  /// How the director is asked and told.
  struct Hooks {
    /// Why this node could not serve yet if it were master: "server web/web1 has no check result yet"; "" when it
    /// could.
    std::function<std::string()> not_ready;
    /// Whether a service has fewer servers than its quorum, as far as the health of all is known.
    std::function<bool(const std::string& service)> below_quorum;
    /// Why the kernel's table is not there; "" while it is.
    std::function<std::string()> table_lost;
    std::function<void(Event event)> report;
    /// Why the resources of a router keep it from leading; "" if they do not.
    std::function<std::string(const std::string& router)> resources_failed;
    /// Calls `then` when nothing that follows the router's role runs here any more.
    std::function<void(const std::string& router, std::function<void()> then)> release;
    std::function<void(const vrrp::Transition& transition)> on_transition;
    /// The role was given away, and nobody took it.
    std::function<void(const std::string& router)> on_unrelieved;
    /// Another director made itself known; see vrrp::Listener.
    std::function<void(const vrrp::Identity& other, const net::Address& from)> on_peer_identity;
  };

  /// `loop` and `host` must outlive this. `make_prober` is for the trackers' checks; `settings` is the file in which it
  /// is kept which kernel settings were changed (net::Sysctls).
  VirtualRouters(net::Loop& loop, net::Host& host, Hooks hooks, checkers::MakeProber make_prober,
                 std::filesystem::path settings);
  ~VirtualRouters() override;
  VirtualRouters(const VirtualRouters&) = delete;
  VirtualRouters& operator=(const VirtualRouters&) = delete;

  /// Starts those of this node. They become master when the director is ready, or has not been for the
  /// longest `ready_within`. Errors: as vrrp::Routers::start.
  net::Result<> start(const config::Cluster& cluster, const config::Node& node, std::vector<vrrp::Spec> routers);

  /// Who this node is from now on, for the other directors; after start().
  void set_identity(const vrrp::Identity& self);

  /// What another cluster file asks of the virtual routers of a node, with all that may fail behind it.
  struct Prepared {
    vrrp::DesiredRouters desired;
    std::string node;
  };
  /// Opens what they and their trackers need; what runs does not change. Errors: as vrrp::prepare; the interfaces
  /// cannot be read.
  net::Result<Prepared> prepare(const config::Cluster& cluster, const config::Node& node,
                                std::vector<vrrp::Spec> routers);

  /// `cluster` is in force, of which `prepared` was made, and its services are as the host says: roles go on. Nothing
  /// in a dry run.
  void adopt(Prepared prepared, const config::Cluster& cluster);

  /// The services have changed: looks whether a router must give up, or may lead again.
  void look_at_services();

  /// Hands over and stops; `on_stopped` is told when it is done, at once where there is nothing to hand over.
  void stop(std::function<void()> on_stopped);

  /// Keeps the addresses for the process that replaces this one at once.
  void keep_for_next_process();

  /// Gives the role of a router and its group to another node. Errors: not_found, conflict.
  RequestResult<std::string> hand_over(const config::Cluster& cluster, const std::string& router,
                                       const std::optional<std::string>& to);

  /// One for each virtual router, in the cluster file's order; none before start().
  [[nodiscard]] std::vector<vrrp::Status> status() const;

  /// What keeps checks of trackers from being run on this host.
  [[nodiscard]] std::vector<checkers::LocalFault> tracker_faults() const { return trackers_.local_faults(); }
  /// What a router is held to by `track`, in the cluster file's order.
  [[nodiscard]] std::vector<Trackers::Status> trackers(const std::string& router) const {
    return trackers_.status(router);
  }

 private:
  void set_conditions(vrrp::DesiredRouters& desired, const config::Cluster& cluster);
  [[nodiscard]] std::string demotion(const std::string& router) const;
  [[nodiscard]] vrrp::Conditions conditions(const std::string& router) const;
  void look_at(const std::string& router);
  [[nodiscard]] bool gives_up(const std::string& router) const;
  void apply(const std::string& router);
  void look_whether_ready();

  void on_transition(const vrrp::Transition& transition) override;
  void on_error(const std::string& router, const net::Error& error) override;
  void on_notice(const std::string& router, const vrrp::Notice& notice) override;
  void on_peer_identity(const vrrp::Identity& other, const net::Address& from) override;
  void on_stopped() override;

  net::Loop& loop_;
  net::Host& host_;
  Hooks hooks_;
  std::filesystem::path settings_;
  std::unique_ptr<vrrp::Routers> routers_;
  std::function<void()> on_stopped_;
  Trackers trackers_;
  std::map<std::string, std::vector<std::string>> give_up_when_;  ///< by router: services
  std::map<std::string, vrrp::Conditions> applied_;               ///< by router: what it was last told
  std::set<std::string> leaving_;                                 ///< routers whose role is released first
  bool alone_ = false;                                            ///< no other node of the file could take over
  std::string node_;
  net::Instant ready_by_;
  net::Loop::Id ready_timer_ = 0;
};

}  // namespace director
