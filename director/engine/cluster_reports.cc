#include "director/engine/cluster_reports.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "config/fingerprint.h"
#include "director/engine/agreement.h"

namespace director {
namespace {

/// Of the file's servers that get new connections: equal where two kernels send them to the same servers alike. A
/// server that gets none may have left one table already, and still drain in the other.
std::string digest_of(const config::Service& service, const ipvs::ServiceEntry& entry) {
  std::string text;
  for (const auto& server : service.servers) {
    const auto found = entry.destinations.find({.endpoint = server.endpoint});
    if (found == entry.destinations.end() || found->second.weight == 0) continue;
    const auto& [forward, weight, upper, lower, tunnel] = found->second;
    text += fmt::format("{} {} {} {} {}\n", net::to_string(server.endpoint), ipvs::to_string(forward), weight, upper,
                        lower);
  }
  if (text.empty()) return "";
  text += fmt::format("{} {} {}\n", entry.service.scheduler, entry.service.flags, entry.service.persistence.count());
  return to_string(config::fingerprint({config::Source{.name = {}, .text = std::move(text)}}));
}

/// Null: it says nothing of that service.
const ServiceReport* find(const std::map<std::string, ServiceReport>& services, const std::string& name) {
  const auto found = services.find(name);
  return found == services.end() ? nullptr : &found->second;
}

}  // namespace

ClusterReports::ClusterReports(net::Loop& loop, const ClusterInForce& in_force, EventLog& log,
                               const HealthMonitor& health, const Reconciler& reconciler, Hooks hooks)
    : loop_(loop), in_force_(in_force), log_(log), health_(health), reconciler_(reconciler), hooks_(std::move(hooks)) {}

ClusterReports::~ClusterReports() {
  loop_.cancel(timer_);
  loop_.cancel(soon_timer_);
}

void ClusterReports::set_on(bool on) {
  if (std::exchange(on_, on) == on) return;
  loop_.cancel(timer_);
  if (!on) {
    exchange_ = {};
    differences_ = {};
    names_.clear();
    return;
  }
  for (const auto& service : in_force_.cluster().services) refresh(service.key);
  each_second();
}

void ClusterReports::each_second() {
  timer_ = loop_.after(std::chrono::seconds(1), [this] { each_second(); });
  own_ = hooks_.own();
  if (exchange_.set_node(own_)) tell_soon();
  for (auto& notice : differences_.take_notices(loop_.now())) log_.add(events::peer_view(notice.subject, notice.text));
}

void ClusterReports::refresh(const ipvs::ServiceKey& key) {
  if (!on_) return;
  const auto* service = in_force_.find(key);
  const auto known = names_.find(key);
  if (known != names_.end() && (service == nullptr || service->name != known->second)) {
    tell(known->second, std::nullopt);
    names_.erase(known);
  }
  if (service == nullptr) return;
  names_[key] = service->name;
  tell(service->name, report_of(*service));
}

void ClusterReports::tell(const std::string& service, std::optional<ServiceReport> report) {
  if (!exchange_.set_service(service, std::move(report))) return;
  for (const auto& [node, peer] : exchange_.peers()) compare(node, peer, service);
  tell_soon();
}

/// Once for all that changes in a turn.
void ClusterReports::tell_soon() {
  if (soon_timer_ != 0) return;
  soon_timer_ = loop_.at(loop_.now(), [this] {
    soon_timer_ = 0;
    hooks_.on_new();
  });
}

ServiceReport ClusterReports::report_of(const config::Service& service) const {
  const auto& plan = reconciler_.plan_of(service.key);
  ServiceReport report{.table = digest_of(service, reconciler_.table().actual(service.key)),
                       .in_service = plan.in_service,
                       .servers = plan.servers};
  const auto& health = health_.of(service.key);
  for (const auto& server : service.servers) {
    const auto& [state, since, advice, slow_start_from] = health_of(health, server.endpoint);
    if (state == checkers::HealthState::up) {
      if (report.up.size() < ServiceReport::down_max && is_down_elsewhere(service.name, server.name))
        report.up[server.name] = health_.last_result(service, server);
      continue;
    }
    if (state == checkers::HealthState::unknown || report.down.size() == ServiceReport::down_max) continue;
    const auto age = std::chrono::duration_cast<WallTime::duration>(loop_.now() - since);
    report.down[server.name] = {.reason = health_.last_result(service, server), .since = loop_.clock().wall() - age};
  }
  return report;
}

bool ClusterReports::is_down_elsewhere(const std::string& service, const std::string& server) const {
  for (const auto& [node, peer] : exchange_.peers()) {
    const auto* theirs = find(peer.services, service);
    if (theirs != nullptr && theirs->down.contains(server)) return true;
  }
  return false;
}

void ClusterReports::close(ReportExchange::Session session) {
  for (const auto& [node, peer] : exchange_.peers()) {
    if (peer.session == session) differences_.forget(node);
  }
  exchange_.close(session);
}

net::Result<> ClusterReports::receive(ReportExchange::Session session, const std::string& node, Reports reports) {
  if (!on_ || reports.empty()) return {};
  std::vector<std::string> services;
  services.reserve(reports.services.size());
  for (const auto& [name, report] : reports.services) services.push_back(name);
  if (auto received = exchange_.receive(session, node, std::move(reports)); !received) return received;
  const auto& peer = exchange_.peers().at(node);
  for (const auto& name : services) {
    if (is_disputed(peer, name)) {
      if (const auto* service = in_force_.find(name)) refresh(service->key);
    }
    compare(node, peer, name);
  }
  return {};
}

/// Whether this node says, or has to say, why servers of it are up here that are down there.
bool ClusterReports::is_disputed(const ReportExchange::Peer& peer, const std::string& service) const {
  const auto* own = find(exchange_.own_services(), service);
  const auto* theirs = find(peer.services, service);
  return (theirs != nullptr && !theirs->down.empty()) || (own != nullptr && !own->up.empty());
}

void ClusterReports::compare(const std::string& node, const ReportExchange::Peer& peer, const std::string& service) {
  differences_.compare(node, service, find(exchange_.own_services(), service), find(peer.services, service),
                       peer.node.files == own_.files, loop_.now());
}

std::vector<Problem> ClusterReports::problems() const {
  std::vector<Problem> all;
  for (auto& [subject, text] : differences_.lasting())
    all.push_back({EventKind::peer_view_differs, subject, fmt::format("{}: {}", subject, text)});
  return all;
}

nlohmann::ordered_json ClusterReports::status(const std::string& node) const {
  const auto found = exchange_.peers().find(node);
  if (found == exchange_.peers().end()) return nullptr;
  const auto& [session, report, services] = found->second;
  auto down = nlohmann::ordered_json::array();
  std::size_t in_service = 0, servers = 0;
  for (const auto& [name, service] : services) {
    in_service += service.in_service;
    servers += service.servers;
    for (const auto& [server, why] : service.down) {
      down.push_back({{"server", fmt::format("{}/{}", name, server)},
                      {"since", net::timestamp(why.since)},
                      {"reason", why.reason}});
    }
  }
  return {{"ready", report.not_ready.empty()}, {"reason", report.not_ready},
          {"version", report.version},         {"routers", report.routers},
          {"in_service", in_service},          {"servers", servers},
          {"down", std::move(down)},           {"problem_count", report.problem_count},
          {"problems", report.problems}};
}

}  // namespace director
