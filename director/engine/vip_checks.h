#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "checkers/checkers.h"
#include "config/cluster.h"
#include "director/engine/cluster_in_force.h"
#include "director/engine/event_log.h"
#include "director/engine/marks.h"
#include "director/engine/path_probation.h"
#include "ipvs/types.h"
#include "net/links.h"
#include "net/loop.h"
#include "net/sysctls.h"

namespace net {
class Host;
}  // namespace net

namespace director {

/// Checks `via: vip`: what leads them to their servers, and when their results count.
///
/// A probe of the virtual address leaves with its server's mark, for which the table has a private service, from an
/// address of this host that stays here whatever its role. So that answers are heard while the virtual address is this
/// host's own, settings of the interfaces are changed (path_settings), and put back by stop(). When the address comes
/// or goes, failures are suppressed and the path is on probation (path_probation). What its other fields hold is found
/// out together, from the interfaces and routes of this host: none of it changes alone.
class VipChecks {
 public:
  /// Probes go from other addresses now: ask aim() again and set the checks.
  using OnSourcesChanged = std::function<void()>;

  /// All must outlive this; set() is called whenever another cluster is in force.
  VipChecks(net::Loop& loop, net::Host& host, const ClusterInForce& in_force, checkers::Checkers& checkers,
            EventLog& log, OnSourcesChanged on_sources_changed, std::filesystem::path settings = {});
  ~VipChecks();
  VipChecks(const VipChecks&) = delete;
  VipChecks& operator=(const VipChecks&) = delete;

  /// Opens what it takes to see the host as the checks of `next` need it; nothing else changes. Errors: the interfaces
  /// cannot be read.
  net::Result<> open(const config::Cluster& next);

  /// Takes the cluster as it is now, for which open() has succeeded, and recovers marks from what the table holds. Does
  /// nothing to a host whose cluster has no such checks; one that had some is as it was before.
  void set(const ipvs::Table& held);

  /// Puts the settings back.
  void stop() { sysctls_.restore(); }

  /// What a check of a server is aimed at: any check. Before set() (in a dry run), `via: vip` goes to the server's own
  /// address.
  [[nodiscard]] checkers::Key aim(const config::Service& service, const config::Server& server,
                                  const checkers::Spec& check) const;

  /// The private services that there should be, each with its path, or that an earlier process left in the table,
  /// without one.
  [[nodiscard]] const std::map<ipvs::ServiceKey, std::optional<ProbePath>>& services() const { return services_; }
  [[nodiscard]] bool owns(const ipvs::ServiceKey& key) const {
    return is_private(key, in_force_.cluster().probe_marks);
  }
  /// What the table should hold of one; nothing: it should not be there.
  [[nodiscard]] std::optional<ipvs::ServiceEntry> entry(const ipvs::ServiceKey& key) const;

  /// To be told of every probe that ended.
  void on_report(const checkers::Report& report);

  /// Sentences about what is wrong now.
  [[nodiscard]] std::set<std::string> problems() const;

 private:
  struct Vip {
    std::optional<bool> here{};  ///< an address of this host; unknown at first
    PathProbation probation;
    std::string fault;      ///< why its answers cannot be heard while it is here
    bool no_route = false;  ///< and why nothing can be sent to it, here or not
  };

  using Interfaces = std::map<int, net::Interface>;

  void refresh();
  void reset_host();
  void refresh_host();
  [[nodiscard]] Interfaces interfaces_without_vips() const;
  void find_sources();
  [[nodiscard]] std::optional<net::Address> source_for(const ProbePath& path, std::string& interface);
  void find_faults();
  [[nodiscard]] std::string find_route(const net::Address& vip);
  [[nodiscard]] net::Result<> adjust(const std::string& interface);
  void set_presence(const net::Address& vip, bool is_here);
  void suppress_failures(const net::Address& address, const Vip& vip);
  [[nodiscard]] std::set<net::Address> local_addresses() const;
  [[nodiscard]] std::set<checkers::Key> keys_of(const net::Address& vip) const;

  net::Loop& loop_;
  net::Host& host_;
  const ClusterInForce& in_force_;
  checkers::Checkers& checkers_;
  EventLog& log_;
  OnSourcesChanged on_sources_changed_;
  net::Sysctls sysctls_;
  std::unique_ptr<net::Links> links_;  ///< while there are such checks
  Marks marks_;
  std::map<ProbePath, net::Address> sources_;
  std::map<ProbePath, std::string> interfaces_;  ///< by which the servers are reached
  std::map<net::Address, Vip> vips_;
  std::set<net::Address> virtual_addresses_;
  std::map<ipvs::ServiceKey, std::optional<ProbePath>> services_;
  Interfaces known_interfaces_;    ///< with the addresses that stay: the sources were found among these
  std::set<std::string> faults_;   ///< so that each is told once
  net::Loop::Id retry_timer_ = 0;  ///< refreshes while something is wrong
};

}  // namespace director
