#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "director/engine/cluster_in_force.h"
#include "director/engine/cluster_reports.h"
#include "director/engine/connection_sync.h"
#include "director/engine/drain_manager.h"
#include "director/engine/event_log.h"
#include "director/engine/health_monitor.h"
#include "director/engine/kernel_settings.h"
#include "director/engine/log_watch.h"
#include "director/engine/node_config.h"
#include "director/engine/operator_overrides.h"
#include "director/engine/order_sharing.h"
#include "director/engine/peers.h"
#include "director/engine/problem_watch.h"
#include "director/engine/reconciler.h"
#include "director/engine/request_error.h"
#include "director/engine/role_resources.h"
#include "director/engine/state_store.h"
#include "director/engine/virtual_routers.h"
#include "ipvs/kernel.h"
#include "net/loop.h"
#include "net/time_text.h"

namespace net {
class Host;
}  // namespace net

namespace director {

struct Options {
  config::Node node;                                ///< which one of the cluster's this is
  std::optional<std::filesystem::path> state_file;  ///< where the state is kept; none: only in memory
  /// A disk in place of that file.
  std::function<std::unique_ptr<StateDisk>(net::Loop& loop)> make_disk{};
  /// Where it is kept which kernel settings were changed, until a clean stop or a reboot; none: in memory.
  std::optional<std::filesystem::path> settings_folder{};
  checkers::MakeProber make_prober = checkers::make_prober;  ///< of all checks
  std::uint64_t process = 0;                                 ///< a random number of this process
  MakeTransport make_transport{};  ///< the connections with the other directors; none: orders stay here
  MakeServiceUnits make_units{};   ///< the host's service manager; none: resources are left alone
  bool dry_run = false;            ///< no virtual routers: only checks, and a table that is not the kernel's
};

/// One cluster's director on one node: the parts, and how they are wired, started, given another cluster file and
/// stopped. Each part owns one state and is its only writer.
///
/// Every change takes the same path: a part's state changes, it marks the services that this concerns as dirty, and
/// before the turn of the loop ends the reconciler plans these anew and sends the difference to the kernel.
class Engine {
 public:
  /// `loop`, `kernel` and `host` must outlive the engine.
  Engine(net::Loop& loop, ipvs::Kernel& kernel, net::Host& host, config::Cluster cluster, Options options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Reads the state that an earlier process left and the kernel's table, brings the table in line, and begins to check
  /// and to run VRRP. Errors: the kernel's table or the interfaces cannot be used, a secret cannot be read.
  net::Result<> start();

  /// Hands the virtual addresses over to the peers, then does with the rules what the file says: they stay in the
  /// kernel, and connections live on. `on_stopped` is told when all is done, before this returns where nobody takes
  /// over and the disk has nothing to be waited for.
  void stop(std::function<void()> on_stopped = [] {});

  /// Ends the probes under way and leaves all else as it is: another directord goes on from here, right after `then`,
  /// which is told when the state is on the disk, or does not get there in StateStore::durable_timeout.
  void prepare_exec(std::function<void()> then);

  /// From now on another cluster file is in force. What is the same in both is not touched: checks keep their rhythm
  /// and results, routers their roles, services see no message. Errors: nothing has changed. `what` is for the log.
  net::Result<> reload(NodeConfig next, const std::string& what);

  /// The file in force was read again and means the same; its bytes, and the keys and passwords that it only names, may
  /// be others. Errors: nothing has changed.
  net::Result<> reread(NodeConfig same);

  /// The file on disk was refused, which `who` had asked for, or it is good: as it is, until the other is said.
  void note_refused_file(const std::string& who, const std::string& why);
  void note_accepted_file();

  /// Gives the role of a virtual router and its group to another node. Errors: as VirtualRouters::hand_over.
  RequestResult<std::string> hand_over(const std::string& router, const std::optional<std::string>& to);

  /// A warning for whoever drained or weighed a server of `service`: the kernel's table is not there, or none of its
  /// servers takes new connections any more, and who serves instead. Empty while one does.
  [[nodiscard]] std::string order_warning(const std::string& service) const;

  // The parts.
  [[nodiscard]] OperatorOverrides& overrides() { return overrides_; }
  [[nodiscard]] StateStore& store() { return store_; }
  [[nodiscard]] const StateStore& store() const { return store_; }
  [[nodiscard]] const ClusterInForce& in_force() const { return in_force_; }
  [[nodiscard]] const config::Cluster& cluster() const { return in_force_.cluster(); }
  [[nodiscard]] const EventLog& log() const { return log_; }
  [[nodiscard]] const HealthMonitor& health() const { return health_; }
  [[nodiscard]] const DrainManager& drains() const { return drains_; }
  [[nodiscard]] const Reconciler& reconciler() const { return reconciler_; }
  [[nodiscard]] const Peers& peers() const { return peers_; }
  [[nodiscard]] OrderSharing& sharing() { return sharing_; }
  [[nodiscard]] const OrderSharing& sharing() const { return sharing_; }
  [[nodiscard]] const ClusterReports& reports() const { return reports_; }
  [[nodiscard]] const VirtualRouters& routers() const { return routers_; }
  [[nodiscard]] const RoleResources& resources() const { return resources_; }

  [[nodiscard]] bool dry_run() const { return options_.dry_run; }
  [[nodiscard]] net::Loop& loop() const { return loop_; }
  /// To be asked, not to be changed: the table is the reconciler's.
  [[nodiscard]] ipvs::Kernel& kernel() const { return kernel_; }
  [[nodiscard]] net::WallTime started() const { return started_; }
  /// What the clock on the wall said then, the same for each who asks.
  [[nodiscard]] net::WallTime wall_at(net::Instant then) const { return wall_.at(then, loop_.now()); }

  /// What is wrong now, from all parts.
  [[nodiscard]] std::vector<Problem> problems() const;
  [[nodiscard]] net::WallTime since(const Problem& problem) const { return problem_watch_.since(problem); }

 private:
  [[nodiscard]] std::filesystem::path settings_file(const char* whose) const;
  std::vector<EventLog::Sink> sinks();
  VirtualRouters::Hooks routers_hooks();
  [[nodiscard]] NodeReport own_report() const;
  net::Result<> open_store();
  void adjust_kernel();
  void mark_vip_services_dirty();
  void stop_routers(std::function<void()> on_stopped);
  void release_host();
  [[nodiscard]] std::string not_ready() const;
  [[nodiscard]] bool below_quorum(const std::string& service) const;

  net::Loop& loop_;
  ipvs::Kernel& kernel_;
  Options options_;
  ClusterInForce in_force_;
  ProblemWatch problem_watch_;
  EventLog log_;
  LogWatch log_watch_;
  StateStore store_;
  DrainManager drains_;
  HealthMonitor health_;
  Reconciler reconciler_;
  OperatorOverrides overrides_;
  ClusterReports reports_;
  OrderSharing sharing_;
  ConnectionSync sync_;
  Peers peers_;
  KernelSettings settings_;
  RoleResources resources_;
  VirtualRouters routers_;
  net::WallTime in_force_since_ = loop_.clock().wall();  ///< the cluster file
  std::string refused_file_;                             ///< why the file on disk was refused
  mutable net::WallClock wall_{loop_.clock()};
  const net::WallTime started_ = loop_.clock().wall();
};

}  // namespace director
