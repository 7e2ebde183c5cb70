#pragma once

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "director/engine/cluster_in_force.h"
#include "director/engine/event_log.h"
#include "director/engine/health_monitor.h"
#include "director/engine/problems.h"
#include "director/engine/reconciler.h"
#include "director/engine/report_differences.h"
#include "director/orders/report_exchange.h"
#include "net/loop.h"

namespace director {

/// What the directors of a cluster tell each other besides orders: how each is, what its checks find and what its
/// kernel holds. Where two differ for long, that is a problem on both.
class ClusterReports {
 public:
  struct Hooks {
    /// How this node is.
    std::function<NodeReport()> own;
    /// There is something to tell.
    std::function<void()> on_new;
  };

  /// All must outlive this.
  ClusterReports(net::Loop& loop, const ClusterInForce& in_force, EventLog& log, const HealthMonitor& health,
                 const Reconciler& reconciler, Hooks hooks);
  ~ClusterReports();
  ClusterReports(const ClusterReports&) = delete;
  ClusterReports& operator=(const ClusterReports&) = delete;

  /// Whether there are directors to tell; it costs nothing while there are none.
  void set_on(bool on);

  /// What is known of a service, or of its entry in the kernel's table, may have changed.
  void refresh(const ipvs::ServiceKey& service);

  // The connections with other directors; see ReportExchange.
  void open(ReportExchange::Session session) { exchange_.open(session); }
  void close(ReportExchange::Session session);
  net::Result<> receive(ReportExchange::Session session, const std::string& node, Reports reports);
  [[nodiscard]] std::optional<Reports> next(ReportExchange::Session session) { return exchange_.next(session); }

  [[nodiscard]] const ReportExchange& exchange() const { return exchange_; }

  [[nodiscard]] std::vector<Problem> problems() const;
  /// What another node has told; null where there is no connection with it.
  [[nodiscard]] nlohmann::ordered_json status(const std::string& node) const;

 private:
  void each_second();
  void tell(const std::string& service, std::optional<ServiceReport> report);
  void tell_soon();
  void compare(const std::string& node, const ReportExchange::Peer& peer, const std::string& service);
  [[nodiscard]] ServiceReport report_of(const config::Service& service) const;
  [[nodiscard]] bool is_disputed(const ReportExchange::Peer& peer, const std::string& service) const;
  [[nodiscard]] bool is_down_elsewhere(const std::string& service, const std::string& server) const;

  net::Loop& loop_;
  const ClusterInForce& in_force_;
  EventLog& log_;
  const HealthMonitor& health_;
  const Reconciler& reconciler_;
  Hooks hooks_;
  bool on_ = false;
  ReportExchange exchange_;
  ReportDifferences differences_;
  NodeReport own_;                                 ///< as last told
  std::map<ipvs::ServiceKey, std::string> names_;  ///< of the services that were told of
  net::Loop::Id timer_ = 0, soon_timer_ = 0;
};

}  // namespace director
