#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "director/engine/cluster_in_force.h"
#include "director/engine/drain_manager.h"
#include "director/engine/event_log.h"
#include "director/engine/health_monitor.h"
#include "director/engine/kernel_table.h"
#include "director/engine/plan.h"
#include "director/engine/state_store.h"
#include "net/loop.h"

namespace director {

/// Makes the kernel's table follow what is planned, and nothing else writes to it. A service that is dirty is planned
/// anew before the turn of the loop ends, compared, and the difference is sent, all in one batch. What the kernel
/// refuses is tried again; what another program changes is restored. Half of its fields are the parts that it asks and
/// tells.
class Reconciler {
 public:
  /// How long what left the file may keep its connections where the file no longer says it.
  static constexpr std::chrono::seconds default_drain_time{300};

  struct Hooks {
    /// Dirty services are in the kernel, or have been refused, or the table was lost.
    std::function<void()> on_reconciled;
    /// A service that was dirty is in the kernel, or has been refused.
    std::function<void(const ipvs::ServiceKey& service)> on_written;
    /// A table that was lost is there again, empty: what else was in the kernel is gone, too.
    std::function<void()> on_table_found;
  };
  /// All must outlive this.
  Reconciler(net::Loop& loop, ipvs::Kernel& kernel, const ClusterInForce& in_force, EventLog& log, StateStore& store,
             const HealthMonitor& health, DrainManager& drains, Hooks hooks);
  ~Reconciler();
  Reconciler(const Reconciler&) = delete;
  Reconciler& operator=(const Reconciler&) = delete;

  /// Reads the kernel's table. Errors: it cannot be read.
  net::Result<> read();

  /// Takes the table that was found: what an earlier run put there or the file names is directord's, all else is left
  /// alone. What is directord's and not in the file drains. From now on it is watched.
  void adopt_table();

  /// The services of a file are directord's own, from before they are written.
  void own(const config::Cluster& cluster);
  /// After another file is in force: plans what differs.
  void after_reload(const ClusterInForce::Differences& differences,
                    const std::map<ipvs::ServiceKey, std::chrono::seconds>& drain_times);

  /// Plans the service before this turn of the loop ends.
  void mark_dirty(const ipvs::ServiceKey& service);
  /// The dirty ones at once.
  void reconcile();
  /// The same without telling of it.
  void write();

  /// Takes all that is directord's out of the kernel.
  void remove_all();

  /// What the kernel holds, as last seen.
  [[nodiscard]] const KernelTable& table() const { return table_; }
  [[nodiscard]] bool has_traffic(const ServerKey& server) const;
  /// Whether the table that was found gave some server of the service new connections.
  [[nodiscard]] bool found_serving(const ipvs::ServiceKey& service) const { return found_serving_.contains(service); }
  [[nodiscard]] bool has_dirty() const { return !dirty_.empty(); }

  /// The last plan of a service in the file.
  [[nodiscard]] const Plan& plan_of(const ipvs::ServiceKey& service) const;
  /// What is true of it now, as its next plan would be made from.
  [[nodiscard]] ObservedService observe(const config::Service& service) const;

  /// Why the kernel's table cannot be read at the moment: nothing is in force then. Empty while it can.
  [[nodiscard]] const std::string& lost() const { return lost_; }
  /// Services that are not as planned, and why.
  [[nodiscard]] const std::map<ipvs::ServiceKey, std::string>& refused() const { return refused_; }

 private:
  struct Planned {
    Plan plan;
    net::Loop::Id replan_timer = 0;  ///< for Plan::replan_at
  };

  [[nodiscard]] std::chrono::seconds drain_time_of(const ipvs::ServiceKey& service) const;
  void drain_removed(const ipvs::ServiceKey& service, std::chrono::seconds time);
  void take_over_unknown();
  [[nodiscard]] std::vector<ipvs::ServiceKey> refresh_stale(const std::set<ipvs::ServiceKey>& services);
  [[nodiscard]] KernelTable::Desired desired_entry(const ipvs::ServiceKey& service);
  void set_plan(const config::Service& service, Plan plan);
  void note_refused(const ipvs::ServiceKey& service, const std::string& why);
  void disown_removed();
  void check_for_drift();
  void note_unreadable(const net::Error& error);
  void look_for_table();
  [[nodiscard]] std::optional<ipvs::ServiceKey> next_to_compare() const;
  void repair(const ipvs::ServiceKey& service);

  net::Loop& loop_;
  ipvs::Kernel& kernel_;
  const ClusterInForce& in_force_;
  EventLog& log_;
  StateStore& store_;
  const HealthMonitor& health_;
  DrainManager& drains_;
  Hooks hooks_;
  KernelTable table_;
  std::map<ipvs::ServiceKey, Planned> plans_;  ///< of the services in the file
  std::set<ipvs::ServiceKey> found_serving_;
  std::set<ipvs::ServiceKey> dirty_;
  std::map<ipvs::ServiceKey, std::string> refused_;
  std::optional<ipvs::ServiceKey> drift_cursor_;  ///< up to where the last comparison came
  std::string lost_;
  int unreadable_ = 0;  ///< how often in a row it could not be read
  net::Loop::Id reconcile_timer_ = 0, retry_timer_ = 0, drift_timer_ = 0;
};

}  // namespace director
