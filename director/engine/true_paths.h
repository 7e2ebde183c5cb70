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
#include "director/engine/path_test.h"
#include "ipvs/types.h"
#include "net/links.h"
#include "net/loop.h"
#include "net/sysctls.h"

namespace net {
class Host;
}  // namespace net

namespace director {

/// Checks `via: vip`: what leads them to their servers, and when their verdicts count.
///
/// A probe of the virtual address leaves with its server's mark, for which the table has a private service, from an
/// address of this host that stays here whatever its role. So that answers are heard while the virtual address is this
/// host's own, settings of the interfaces are changed (path_settings), and put back by stop(). When the address comes
/// or goes, verdicts are held and the path is put to the test (path_test).
class TruePaths {
 public:
  /// Probes go from other addresses now: ask aim() again and set the checks.
  using OnAims = std::function<void()>;

  /// All must outlive this; set() is called whenever another cluster is in force.
  TruePaths(net::Loop& loop, net::Host& host, const ClusterInForce& in_force, checkers::Checkers& checkers,
            EventLog& log, OnAims on_aims, std::filesystem::path settings = {});
  ~TruePaths();
  TruePaths(const TruePaths&) = delete;
  TruePaths& operator=(const TruePaths&) = delete;

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

  /// The private services that there should be, each with its way, or that an earlier process left in the table,
  /// without one.
  [[nodiscard]] const std::map<ipvs::ServiceKey, std::optional<Way>>& services() const { return services_; }
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
    std::optional<bool> here{};  ///< an address of this host; unknown before the first look
    PathTest test;
    std::string fault;      ///< why its answers cannot be heard while it is here
    bool no_route = false;  ///< and why nothing can be sent to it, here or not
  };

  using Interfaces = std::map<int, net::Interface>;

  void refresh();
  void forget_host();
  void look_at_host();
  [[nodiscard]] Interfaces lasting_interfaces() const;
  void find_sources();
  [[nodiscard]] std::optional<net::Address> source_for(const Way& way, std::string& interface);
  void find_faults();
  [[nodiscard]] std::string find_route(const net::Address& vip);
  [[nodiscard]] net::Result<> adjust(const std::string& interface);
  void note_presence(const net::Address& vip, bool is_here);
  void hold(const net::Address& address, const Vip& vip);
  [[nodiscard]] std::set<net::Address> here() const;
  [[nodiscard]] std::set<checkers::Key> keys_of(const net::Address& vip) const;

  net::Loop& loop_;
  net::Host& host_;
  const ClusterInForce& in_force_;
  checkers::Checkers& checkers_;
  EventLog& log_;
  OnAims on_aims_;
  net::Sysctls sysctls_;
  std::unique_ptr<net::Links> links_;  ///< while there are such checks
  Marks marks_;
  std::map<Way, net::Address> sources_;
  std::map<Way, std::string> interfaces_;  ///< by which the servers are reached
  std::map<net::Address, Vip> vips_;
  std::set<net::Address> virtual_addresses_;
  std::map<ipvs::ServiceKey, std::optional<Way>> services_;
  Interfaces seen_;             ///< with the addresses that stay: the sources were found among these
  std::set<std::string> said_;  ///< faults, so that each is said once
  net::Loop::Id again_ = 0;     ///< looks at the host again while something is wrong
};

}  // namespace director
