#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "config/cluster.h"
#include "director/engine/change.h"
#include "director/engine/check_users.h"
#include "director/engine/connection_sync.h"
#include "director/engine/event_log.h"
#include "director/engine/kernel_settings.h"
#include "director/engine/kernel_table.h"
#include "director/engine/peers.h"
#include "director/engine/plan.h"
#include "director/engine/problems.h"
#include "director/engine/request_error.h"
#include "director/engine/situation.h"
#include "director/engine/state_store.h"
#include "director/engine/true_paths.h"
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
  std::optional<std::filesystem::path> state_file;  ///< where the intents are kept; none: only in memory
  /// Where it is kept which kernel settings were changed, until a clean stop or a reboot; none: in memory.
  std::optional<std::filesystem::path> settings_folder{};
  checkers::MakeProber make_prober = checkers::make_prober;  ///< of the servers' checks
  bool dry_run = false;  ///< no virtual routers: only checks, and a table that is not the kernel's
};

/// One cluster's director on one node: keeps what the checks found, what the operator wants and what the routers say,
/// and makes the kernel's table follow. Every change takes the same path: it marks its services, and before the turn of
/// the loop ends these are planned anew, compared, and the difference is sent.
class Director {
 public:
  /// `loop`, `kernel` and `host` must outlive the director.
  Director(net::Loop& loop, ipvs::Kernel& kernel, net::Host& host, config::Cluster cluster, Options options);
  ~Director();
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  /// Reads what an earlier life left behind and the kernel's table, brings the table in line, and begins to check and
  /// to speak VRRP. Errors: the kernel's table or the interfaces cannot be used.
  net::Result<> start();

  /// Hands the virtual addresses over to the peers, then does with the rules what the file says: they stay in the
  /// kernel, and connections live on. `on_stopped` is told when all is done, before this returns where nobody takes
  /// over.
  void stop(std::function<void()> on_stopped = [] {});

  /// Ends the probes under way and leaves all else as it is: another directord goes on from here, right after `then`,
  /// which is told when the state is on the disk, or does not get there in StateStore::patience.
  void make_way(std::function<void()> then);

  /// Takes a server out of service until undrain(), also over restarts: no new connections, and its open ones live on,
  /// but no longer than `within`; then it leaves the table. Errors: no such server; it cannot be kept.
  RequestResult<std::string> drain(const std::string& service, const std::string& server, const std::string& reason,
                                   std::optional<std::chrono::seconds> within = {});

  /// Takes that back, also for a server that has left the file since.
  RequestResult<std::string> undrain(const std::string& service, const std::string& server);

  /// Gives a server another weight than the file does, until it is taken back with none or for `time`; also over
  /// restarts.
  RequestResult<std::string> set_weight(const std::string& service, const std::string& server,
                                        std::optional<std::uint32_t> weight, const std::string& reason = {},
                                        std::optional<std::chrono::seconds> time = {});

  /// A warning for whoever drained or weighed a server of `service`: none of its servers takes new connections any
  /// more, and who serves instead. Empty while one does.
  [[nodiscard]] std::string none_left(const std::string& service) const;

  /// Told once, "" when every order so far would outlive a loss of power, else why they would not yet; within
  /// StateStore::patience.
  void when_durable(StateStore::Done done) { store_.when_durable(std::move(done)); }

  /// Gives the role of a virtual router and its group to another node. Errors: as VirtualRouters::hand_over.
  RequestResult<std::string> hand_over(const std::string& router, const std::optional<std::string>& to);

  /// The cluster file in force.
  [[nodiscard]] const config::Cluster& cluster() const { return cluster_; }

  /// From now on `next` is in force, in which this node is `node`. What is the same in both is not touched: checks keep
  /// their rhythm and results, routers their roles, services see no message. Errors: nothing has changed.
  /// `what` is for the journal.
  net::Result<> reload(config::Cluster next, config::Node node, const std::string& what);

  /// The file on disk was refused, which `who` had asked for, or it is good: as it is, until the other is said.
  void note_refused_file(const std::string& who, const std::string& why);
  void note_good_file();

  /// The file in force was read again and means the same, in these bytes; the keys and passwords that it only names may
  /// be others, and are read. Errors: nothing has changed.
  net::Result<> reread(const vrrp::Digest& files);

  /// What GET /v1/status answers, all at once, with the kernel's table as it is now.
  [[nodiscard]] nlohmann::ordered_json status() const;

  using Table = std::shared_ptr<const net::Result<ipvs::Snapshot>>;
  /// The same as a line of text, made a few servers in each turn of the loop, so that a large cluster keeps no timer
  /// waiting. It shows what was so in those turns; a reload among them begins it anew.
  void write_status(Table table, std::move_only_function<void(std::string)> then);
  /// The kernel's table as it is now.
  [[nodiscard]] Table table() const { return std::make_shared<const net::Result<ipvs::Snapshot>>(kernel_.list()); }

  [[nodiscard]] nlohmann::ordered_json vrrp() const;
  [[nodiscard]] nlohmann::ordered_json events(std::uint64_t since = 0) const;  ///< those after number `since`

  /// The connections, as the kernel counts them now, of the servers that a change removes.
  [[nodiscard]] nlohmann::ordered_json connections_of(const Change& change) const;

 private:
  struct ServiceState {
    ServiceSituation situation;
    Plan plan;                   ///< the last
    bool found_serving = false;  ///< by this life: an earlier one's rules give its servers traffic
    net::Loop::Id again = 0;     ///< the timer for Plan::again
  };

  struct StatusText {
    Table table;
    std::move_only_function<void(std::string)> then;
    std::string services{};  ///< that are written
    std::size_t next = 0;    ///< to write
    std::uint64_t reloads = 0;
  };

  void leave_the_table();
  VirtualRouters::Hooks routers_hooks();
  [[nodiscard]] std::string not_ready() const;
  [[nodiscard]] bool below_quorum(const std::string& service) const;
  void adopt_table();
  void own(const config::Cluster& cluster);
  void own_aliens();
  void set_true_paths();
  void set_checks();
  void for_each_check(std::size_t service, const std::function<void(const checkers::Key&, ServerId)>& visit) const;
  void look_at_checks(std::size_t service);
  void on_report(const checkers::Report& report);

  [[nodiscard]] std::optional<ServerId> find(const std::string& service, const std::string& server) const;
  [[nodiscard]] std::string name_of(ServerId id) const;
  [[nodiscard]] RequestError no_server(const std::string& service, const std::string& server) const;
  [[nodiscard]] std::filesystem::path settings_file(const char* whose) const;
  [[nodiscard]] Opinion opinion_of(ServerId id) const;
  void judge(ServerId id, const std::string& why);
  [[nodiscard]] bool has_traffic(ServerId id) const;
  [[nodiscard]] std::string reason_of(ServerId id) const;
  void change_orders(const std::string& name, const std::function<void(Orders&)>& change);
  void heed_orders(ServerId id);
  void look_at_weights();
  void end_weight(const std::string& name);

  /// Marks a service to be planned in this turn of the loop.
  void touch(const ipvs::ServiceKey& key);
  void apply();
  void write_table();
  [[nodiscard]] std::vector<ipvs::ServiceKey> read_doubtful(const std::set<ipvs::ServiceKey>& keys);
  [[nodiscard]] KernelTable::Wish wish_for(const ipvs::ServiceKey& key);
  void complain(const ipvs::ServiceKey& key, const std::string& why);
  void forget_what_has_gone();
  void adopt(std::size_t service, Plan plan);
  [[nodiscard]] std::chrono::seconds drain_time_of(const ipvs::ServiceKey& key) const;
  void depart(const ipvs::ServiceKey& key, std::chrono::seconds time);
  void look_for_drift();
  [[nodiscard]] std::optional<ipvs::ServiceKey> next_to_look_at() const;
  void repair(const ipvs::ServiceKey& key);

  void note_drains(std::size_t service, const Plan& plan);
  void watch_drains();
  void look_at_drains();
  void look_at_drains_of(const ipvs::ServiceKey& key, std::vector<DrainKey>& gone);
  [[nodiscard]] Drain drain_of(ServerId id, Cause cause) const;

  [[nodiscard]] nlohmann::ordered_json routers_status() const;

  void forget_checks(std::span<const std::size_t> services);
  void add_checks(std::span<const std::size_t> services);
  bool carry_over(ServiceState& state, const config::Service& next);

  std::vector<EventLog::Sink> sinks();
  [[nodiscard]] std::vector<Problem> problems() const;
  void look_at_problems();
  void put_problems(nlohmann::ordered_json& root, const net::Result<ipvs::Snapshot>& table) const;

  [[nodiscard]] nlohmann::ordered_json service_status(std::size_t service,
                                                      const net::Result<ipvs::Snapshot>& table) const;
  [[nodiscard]] nlohmann::ordered_json status_but_services(const net::Result<ipvs::Snapshot>& table) const;
  void go_on_with_status();
  void write_some_status();

  net::Loop& loop_;
  ipvs::Kernel& kernel_;
  config::Cluster cluster_;
  Options options_;
  KernelTable table_;
  EventLog log_;
  StateStore store_;
  Problems problems_;
  mutable net::WallClock wall_{loop_.clock()};
  std::vector<ServiceState> states_;               ///< in the cluster file's order
  std::map<ipvs::ServiceKey, std::size_t> index_;  ///< of each service in the cluster file
  Drains drains_;                                  ///< of servers in the file; what left it is in store_
  CheckUsers users_;
  checkers::Checkers checkers_;
  TruePaths true_paths_;
  VirtualRouters routers_;
  ConnectionSync sync_;
  Peers peers_;
  KernelSettings settings_;
  std::set<ipvs::ServiceKey> touched_;
  net::Loop::Id drain_timer_ = 0;
  net::Loop::Id drift_timer_ = 0;
  net::Loop::Id retry_timer_ = 0;
  net::Loop::Id problems_timer_ = 0;
  net::Loop::Id weight_timer_ = 0;
  net::Loop::Id apply_timer_ = 0;
  net::Loop::Id status_timer_ = 0;
  std::optional<ipvs::ServiceKey> drains_seen_;         ///< up to where the last look at the drains came
  std::optional<ipvs::ServiceKey> drift_seen_;          ///< the same for drift
  std::map<ipvs::ServiceKey, std::string> complaints_;  ///< services that are not yet as planned, and why
  std::deque<StatusText> status_texts_;                 ///< that are being written, the first one now
  std::uint64_t reloads_ = 0;
  net::WallTime in_force_since_ = loop_.clock().wall();  ///< the cluster file
  std::string file_complaint_;                           ///< why the file on disk was refused
  const net::WallTime started_ = loop_.clock().wall();
};

}  // namespace director
