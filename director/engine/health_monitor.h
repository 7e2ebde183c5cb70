#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "checkers/checkers.h"
#include "director/engine/check_users.h"
#include "director/engine/cluster_in_force.h"
#include "director/engine/event_log.h"
#include "director/engine/observed_state.h"
#include "director/engine/server_health.h"
#include "director/engine/vip_checks.h"
#include "net/loop.h"

namespace director {

/// The checks of the cluster file's servers, and what is known of each server by them.
class HealthMonitor {
 public:
  struct Hooks {
    /// Whether the kernel gives a server new connections now.
    std::function<bool(const ServerKey& server)> has_traffic;
    /// What is known of a server has changed.
    std::function<void(const ServerKey& server)> on_change;
  };

  struct Options {
    checkers::MakeProber make_prober = checkers::make_prober;
    std::filesystem::path settings{};  ///< of the VIP checks (net::Sysctls)
    bool vip_checks = true;            ///< without: checks `via: vip` go to the servers' own addresses
  };

  /// All must outlive this.
  HealthMonitor(net::Loop& loop, net::Host& host, const ClusterInForce& in_force, EventLog& log, Hooks hooks,
                Options options);

  /// Opens what it takes to check as `next` says; nothing else changes. Errors: as VipChecks::open.
  net::Result<> open(const config::Cluster& next);

  /// Checks what the cluster in force asks for, from now on; `held` is the kernel's table.
  void start(const ipvs::Table& held);

  /// Before and after another cluster file is in force: `changed` are its services that differ from the one before,
  /// `gone` those that it does not have. Of a server that was there before, all that is known stays.
  void before_reload(const ClusterInForce::Differences& differences);
  void after_reload(const ClusterInForce::Differences& differences, const ipvs::Table& held);

  /// Ends the probes under way; none follows.
  void stop_checks() { checkers_.set({}); }
  /// Puts the host's settings back.
  void stop() { vip_checks_.stop(); }

  /// Of the servers of a service in the file: each is there.
  [[nodiscard]] const ServersHealth& of(const ipvs::ServiceKey& service) const;
  /// Whether the health of each of them is known.
  [[nodiscard]] bool all_known(const ipvs::ServiceKey& service) const;

  /// What the checks of a server found, as sentences; "" without checks.
  [[nodiscard]] std::string describe(const config::Service& service, const config::Server& server,
                                     net::WallTime now) const;

  /// What the last probe found: of a check that fails, if one does.
  [[nodiscard]] std::string last_result(const config::Service& service, const config::Server& server) const;

  [[nodiscard]] const VipChecks& vip_checks() const { return vip_checks_; }
  [[nodiscard]] std::size_t checks() const { return checkers_.size(); }
  /// What keeps checks from being run on this host.
  [[nodiscard]] std::vector<checkers::LocalFault> local_faults() const { return checkers_.local_faults(); }

 private:
  void for_each_check(const ipvs::ServiceKey& service,
                      const std::function<void(const checkers::Key&, const ServerKey&)>& visit) const;
  void set_all();
  void refresh_health(const ipvs::ServiceKey& service);
  void on_report(const checkers::Report& report);
  /// `report` is of a check of the server, if one has just ended.
  [[nodiscard]] HealthSummary summarize_health(const config::Service& service, const config::Server& server,
                                               const checkers::Report* report = nullptr) const;
  void update_health(const ServerKey& key, const checkers::Report& report);

  net::Loop& loop_;
  const ClusterInForce& in_force_;
  EventLog& log_;
  Hooks hooks_;
  bool uses_vip_checks_;
  net::WallClock wall_;
  std::map<ipvs::ServiceKey, ServersHealth> health_;
  CheckUsers users_;
  checkers::Checkers checkers_;
  VipChecks vip_checks_;
};

}  // namespace director
