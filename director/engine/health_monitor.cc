#include "director/engine/health_monitor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "net/check.h"

namespace director {
namespace {

constexpr std::string_view known_health = "the health of each server of the cluster file is known";

EventKind kind_of(checkers::HealthState state) {
  switch (state) {
    case checkers::HealthState::up:
      return EventKind::server_up;
    case checkers::HealthState::down:
      return EventKind::server_down;
    case checkers::HealthState::unknown:
      return EventKind::server_unknown;
  }
  return EventKind::server_unknown;
}

}  // namespace

HealthMonitor::HealthMonitor(net::Loop& loop, net::Host& host, const ClusterInForce& in_force, EventLog& log,
                             Hooks hooks, Options options)
    : loop_(loop),
      in_force_(in_force),
      log_(log),
      hooks_(std::move(hooks)),
      uses_vip_checks_(options.vip_checks),
      wall_(loop.clock()),
      checkers_(
          loop, [this](const checkers::Report& report) { on_report(report); }, options.make_prober,
          [&log](const checkers::LocalFault& fault, bool begins) { log.add(events::local_fault(fault, begins)); }),
      vip_checks_(loop, host, in_force, checkers_, log, [this] { set_all(); }, std::move(options.settings)) {}

net::Result<> HealthMonitor::open(const config::Cluster& next) {
  return uses_vip_checks_ ? vip_checks_.open(next) : net::Result<>();
}

void HealthMonitor::start(const ipvs::Table& held) {
  if (uses_vip_checks_) vip_checks_.set(held);
  set_all();
}

void HealthMonitor::before_reload(const ClusterInForce::Differences& differences) {
  if (!vip_checks_.services().empty()) return;  // all are set anew
  for (const auto* keys : {&differences.changed, &differences.gone}) {
    for (const auto& service : *keys) {
      for_each_check(service, [this](const auto& key, const ServerKey& user) { users_.remove(key, user); });
    }
  }
}

void HealthMonitor::after_reload(const ClusterInForce::Differences& differences, const ipvs::Table& held) {
  for (const auto& service : differences.gone) health_.erase(service);
  const bool had_vip_checks = !vip_checks_.services().empty();
  if (uses_vip_checks_) vip_checks_.set(held);
  if (had_vip_checks || !vip_checks_.services().empty()) return set_all();  // any of them may lead elsewhere now
  for (const auto& service : differences.changed) {
    for_each_check(service, [this](const auto& key, const ServerKey& user) { users_.add(key, user); });
  }
  const auto difference = users_.difference();
  checkers_.change(difference.gone, difference.added);
  for (const auto& service : differences.changed) refresh_health(service);
}

/// Every check of a service, as it is aimed now, with the server that uses it.
void HealthMonitor::for_each_check(const ipvs::ServiceKey& service,
                                   const std::function<void(const checkers::Key&, const ServerKey&)>& visit) const {
  const auto* asked = in_force_.find(service);
  if (asked == nullptr) return;
  for (const auto& server : asked->servers) {
    for (const auto& check : asked->checks) {
      visit(vip_checks_.aim(*asked, server, check), {.service = service, .server = server.endpoint});
    }
  }
}

/// Checks exactly what the file in force asks for.
void HealthMonitor::set_all() {
  users_.clear();
  const auto& services = in_force_.cluster().services;
  for (const auto& service : services) {
    for_each_check(service.key, [this](const auto& key, const ServerKey& user) { users_.add(key, user); });
  }
  checkers_.set(users_.difference().added);
  for (const auto& service : services) refresh_health(service.key);
}

/// Brings the health of a service's servers up to date with their checks, and keeps what was known. A server that has
/// traffic does not lose it to one failure.
void HealthMonitor::refresh_health(const ipvs::ServiceKey& key) {
  const auto& service = in_force_.at(key);
  for (const auto& server : service.servers) {
    if (!hooks_.has_traffic({.service = key, .server = server.endpoint})) continue;
    for (const auto& check : service.checks) checkers_.mark_serving(vip_checks_.aim(service, server, check));
  }
  auto& known = health_[key];
  ServersHealth now;
  for (const auto& server : service.servers) {
    const auto before = known.find(server.endpoint);
    auto& health = now[server.endpoint];
    if (before != known.end()) health = before->second;
    const auto summary = summarize_health(service, server);
    health.state = summary.state;
    if (!service.checks.empty()) {
      health.since = summary.since;
    } else if (health.since == net::Instant()) {
      health.since = loop_.now();
    }
  }
  known = std::move(now);
}

void HealthMonitor::on_report(const checkers::Report& report) {
  vip_checks_.on_report(report);
  const bool advised = report.result.advice != checkers::Advice{};
  if (report.change != checkers::HealthChange::changed && !advised) return;
  for (const auto& server : users_.of(report.key)) update_health(server, report);
}

/// Makes the health of a server anew, after a result of one of its checks.
void HealthMonitor::update_health(const ServerKey& key, const checkers::Report& report) {
  const auto& why = report.result.sentence;
  auto& health = net::must_find(net::must_find(health_, key.service, known_health), key.server, known_health);
  const auto [state, since, advice] = summarize_health(in_force_.at(key.service), in_force_.at(key), &report);
  if (state == health.state && advice == health.advice) return;
  if (state != health.state) {
    // A server that the kernel gives traffic already needs no slow start.
    health.slow_start_from =
        state == checkers::HealthState::up && !hooks_.has_traffic(key) ? std::optional(loop_.now()) : std::nullopt;
    log_.add(events::server_health(
        in_force_.name_of(key), kind_of(state), checkers::to_string(health.state), checkers::to_string(state), why,
        health.since == net::Instant() ? std::nullopt : std::optional(wall_.at(health.since, loop_.now()))));
  } else {
    log_.add(events::server_advice(in_force_.name_of(key), why));
  }
  health.state = state;
  health.since = since;
  health.advice = advice;
  hooks_.on_change(key);
}

HealthSummary HealthMonitor::summarize_health(const config::Service& service, const config::Server& server,
                                              const checkers::Report* report) const {
  const auto summary = [](const checkers::Health& health) {
    return HealthSummary{.state = health.state, .since = health.since, .advice = health.advice};
  };
  if (report != nullptr && service.checks.size() == 1) {  // it carries all that there is to know
    return aggregate(std::array{summary(report->after)}, service.combine, server.weight);
  }
  std::vector<HealthSummary> summaries;
  for (const auto& check : service.checks) {
    const auto* health = checkers_.find(vip_checks_.aim(service, server, check));
    if (health != nullptr) summaries.push_back(summary(*health));
  }
  return aggregate(summaries, service.combine, server.weight);
}

const ServersHealth& HealthMonitor::of(const ipvs::ServiceKey& service) const {
  return net::must_find(health_, service, known_health);
}

bool HealthMonitor::all_known(const ipvs::ServiceKey& service) const {
  return std::ranges::none_of(of(service),
                              [](const auto& server) { return server.second.state == checkers::HealthState::unknown; });
}

std::string HealthMonitor::describe(const config::Service& service, const config::Server& server,
                                    net::WallTime now) const {
  std::string text;
  for (const auto& check : service.checks) {
    const auto* health = checkers_.find(vip_checks_.aim(service, server, check));
    if (health == nullptr) continue;
    if (!text.empty()) text += "; ";
    text += checkers::describe(*health, check.thresholds, loop_.now(), now);
  }
  return text;
}

std::string HealthMonitor::last_result(const config::Service& service, const config::Server& server) const {
  std::string text;
  for (const auto& check : service.checks) {
    const auto* health = checkers_.find(vip_checks_.aim(service, server, check));
    if (health == nullptr) continue;
    if (health->state == checkers::HealthState::down) return health->last;
    if (text.empty()) text = health->last;
  }
  return text;
}

}  // namespace director
