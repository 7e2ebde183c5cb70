#include "director/control/status.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "director/engine/change_json.h"
#include "director/engine/engine.h"
#include "director/engine/vrrp_status.h"
#include "director/engine/weight_origin.h"
#include "net/version.h"

namespace director {
namespace {

using nlohmann::ordered_json;

ordered_json drain_status(const Drain& drain) {
  ordered_json value{{"cause", to_string(drain.cause)}, {"since", net::timestamp(drain.since)}, {"done", drain.done}};
  if (drain.deadline) value["deadline"] = net::timestamp(*drain.deadline);
  return value;
}

/// Who gave an order, on which node, and which nodes have it.
void put_origin(const Engine& engine, const OrderOrigin& origin, ordered_json& order) {
  if (!origin.by.empty()) order["by"] = origin.by;
  if (!origin.version.node.empty()) order["node"] = origin.version.node;
  if (const auto held = engine.sharing().held_by(origin.version); !held.empty()) order["held"] = held;
}

ordered_json weight_order(const Engine& engine, const Overrides::Weight& weight) {
  ordered_json value{{"weight", weight.value}, {"reason", weight.reason}};
  if (weight.since != WallTime()) value["since"] = net::timestamp(weight.since);
  if (weight.until) value["until"] = net::timestamp(*weight.until);
  put_origin(engine, weight.origin, value);
  return value;
}

ordered_json drain_order(const Engine& engine, const Overrides::Drain& drain) {
  ordered_json value{{"reason", drain.reason}, {"since", net::timestamp(drain.since)}};
  if (drain.deadline) value["until"] = net::timestamp(*drain.deadline);
  put_origin(engine, drain.origin, value);
  return value;
}

/// "weight 5 by the operator since 2026-11-27T14:03:12Z (3 min ago), until ... (in 7 min) (disk)".
std::string weight_reason(const Overrides::Weight& weight, net::WallTime now) {
  auto text = fmt::format("weight {} by the operator", weight.value);
  if (weight.since != WallTime()) text += " since " + net::timestamp_and_age(weight.since, now);
  if (weight.until) text += ", until " + net::timestamp_and_age(*weight.until, now);
  return weight.reason.empty() ? text : text + " (" + weight.reason + ")";
}

/// `from`, `to` and `since` of a change of state alone.
ordered_json event_json(const Event& event) {
  const auto& type = type_of(event.kind);
  ordered_json value{{"number", event.number},
                     {"at", net::timestamp(event.at)},
                     {"kind", type.name},
                     {"severity", to_string(type.level)},
                     {"reason_class", to_string(type.reason_class)},
                     {"subject", event.subject},
                     {"text", event.text}};
  if (!event.from.empty()) value["from"] = event.from;
  if (!event.to.empty()) value["to"] = event.to;
  if (!event.reason.empty()) value["reason"] = event.reason;
  if (event.since) value["since"] = net::timestamp(*event.since);
  return value;
}

/// The private services, which no listing of services shows.
ordered_json vip_checks_status(const VipChecks& checks) {
  ordered_json all = ordered_json::array();
  for (const auto& [key, path] : checks.services()) {
    if (!path) continue;
    all.push_back(
        {{"mark", key.fwmark}, {"server", net::to_string(path->server)}, {"forward", ipvs::to_string(path->forward)}});
  }
  return all;
}

/// Where an order was given, if not here.
std::string given_on(const Engine& engine, const OrderOrigin& origin) {
  const auto& node = origin.version.node;
  return node.empty() || node == engine.in_force().node().name ? "" : " on " + node;
}

/// Who has an order, where not all have it.
std::string held_where(const Engine& engine, const OrderOrigin& origin) {
  if (engine.sharing().is_held_everywhere(origin.version)) return "";
  return ", " + engine.sharing().held_by(origin.version);
}

std::string reason_of(const Engine& engine, const config::Service& service, const config::Server& server,
                      const ObservedServer& observed, const Overrides* overrides, net::WallTime now) {
  std::string text;
  if (overrides != nullptr && overrides->drain) {
    const auto& drain = *overrides->drain;
    const bool out = observed.admin_state == AdminState::disabled;
    const bool timed_out = out && drain.deadline && *drain.deadline > drain.since;
    const auto since = net::timestamp_and_age(drain.since, now);
    text = timed_out ? fmt::format("disabled: drain timeout reached at {}, drained by the operator since {}",
                                   net::timestamp_and_age(*drain.deadline, now), since)
                     : fmt::format("{} by the operator{} since {}", out ? "disabled" : "drained",
                                   given_on(engine, drain.origin), since);
    if (!drain.reason.empty()) text += " (" + drain.reason + ")";
    text += held_where(engine, drain.origin);
  }
  if (overrides != nullptr && overrides->weight) {
    if (!text.empty()) text += "; ";
    text += weight_reason(*overrides->weight, now) + held_where(engine, overrides->weight->origin);
  }
  if (service.checks.empty()) return text.empty() ? "no check" : text;
  const auto checks = engine.health().describe(service, server, now);
  if (!text.empty() && !checks.empty()) text += "; ";
  return text + checks;
}

/// `problems`, the sentences alone, and `conditions`, the same with more to each.
void put_problems(const Engine& engine, ordered_json& root, const net::Result<ipvs::Snapshot>& table) {
  auto all = engine.problems();
  if (!table) all.push_back({EventKind::table_refused, "ipvs", table.error().message});
  std::set<std::string> said;  // several services may be refused for the same reason
  auto sentences = ordered_json::array(), conditions = ordered_json::array();
  for (const auto& problem : all) {
    if (said.insert(problem.reason).second) sentences.push_back(problem.reason);
    conditions.push_back({{"kind", type_of(problem.kind).name},
                          {"subject", problem.subject},
                          {"since", net::timestamp(engine.since(problem))},
                          {"reason", problem.reason}});
  }
  root["problems"] = std::move(sentences);
  root["conditions"] = std::move(conditions);
}

/// With what each is held to by `track`.
ordered_json routers_status(const Engine& engine) {
  auto list = ordered_json::array();
  const auto names = engine.peers().names(engine.cluster());
  for (const auto& router : engine.routers().status()) {
    auto status = vrrp_status(router, names, engine.loop().now(), engine.wall_at(router.since));
    auto trackers = ordered_json::array();
    for (const auto& [name, state, since, reason, lower] : engine.routers().trackers(router.spec.name)) {
      trackers.push_back({{"name", name},
                          {"state", checkers::to_string(state)},
                          {"since", net::timestamp(engine.wall_at(since))},
                          {"reason", reason},
                          {"lower", lower}});
    }
    status["trackers"] = std::move(trackers);
    auto resources = engine.resources().status(router.spec.name, [&](net::Instant at) { return engine.wall_at(at); });
    if (!resources.empty()) status["resources"] = std::move(resources);
    list.push_back(std::move(status));
  }
  return list;
}

/// The other directors, whether they get this one's orders, and what they say of themselves.
ordered_json nodes_status(const Engine& engine) {
  auto nodes = engine.peers().status(engine.cluster(), engine.dry_run());
  for (auto& node : nodes) {
    const auto name = node["node"].get<std::string>();
    node["orders"] = engine.sharing().status(name);
    if (auto report = engine.reports().status(name); !report.is_null()) node["report"] = std::move(report);
  }
  return nodes;
}

ordered_json draining_removed_status(const Engine& engine, const net::Result<ipvs::Snapshot>& table) {
  auto list = ordered_json::array();
  for (const auto& [which, drain] : engine.drains().draining_removed()) {
    auto value = drain_status(drain);
    value["service"] = ipvs::to_string(which.first);
    value["destination"] = ipvs::to_string(which.second);
    if (table) {
      const auto service = table->find(which.first);
      if (service != table->end() && service->second.destinations.contains(which.second)) {
        const auto& held = service->second.destinations.at(which.second);
        value["active"] = held.active;
        value["inactive"] = held.inactive;
      }
    }
    list.push_back(std::move(value));
  }
  return list;
}

}  // namespace

ordered_json service_status(const Engine& engine, const config::Service& service,
                            const net::Result<ipvs::Snapshot>& table) {
  const ipvs::ServiceStatus* held = nullptr;
  if (table) {
    const auto found = table->find(service.key);
    if (found != table->end()) held = &found->second;
  }
  const auto& plan = engine.reconciler().plan_of(service.key);
  const auto observed = engine.reconciler().observe(service);
  const auto now = engine.store().now();
  ordered_json servers = ordered_json::array();
  std::size_t taking = 0;
  for (std::size_t i = 0; i < service.servers.size(); ++i) {
    const auto& server = service.servers[i];
    const auto& known = observed.servers[i];
    const auto* overrides = overrides_of(engine.store().state(), service.name, server.name);
    const ipvs::DestinationKey key{.endpoint = server.endpoint};
    const auto destination = plan.entry.destinations.find(key);
    ordered_json entry{
        {"name", server.name},
        {"address", net::to_string(server.endpoint)},
        {"health", checkers::to_string(known.health)},
        {"since", net::timestamp(engine.wall_at(known.since))},
        {"reason", reason_of(engine, service, server, known, overrides, now)},
        {"weight", known.weight.value_or(server.weight)},
        {"file_weight", server.weight},
        {"weight_origin", ""},  // of the effective one, below
        {"effective_weight", destination == plan.entry.destinations.end() ? 0 : destination->second.weight},
        {"drained", known.admin_state != AdminState::enabled},
        {"fallback", server.fallback}};
    if (known.admin_state != AdminState::enabled)
      entry["order"] = known.admin_state == AdminState::drained ? "drained" : "disabled";
    const auto* drain = engine.drains().find({.service = service.key, .server = server.endpoint});
    if (drain != nullptr) entry["drain"] = drain_status(*drain);
    if (held != nullptr) {
      const auto found = held->destinations.find(key);
      auto status = ipvs::DestinationStatus{};
      status.destination.weight = 0;
      if (found != held->destinations.end()) status = found->second;
      entry["effective_weight"] = status.destination.weight;  // the kernel's own word
      entry["active"] = status.active;
      entry["inactive"] = status.inactive;
      entry["connections"] = status.stats.connections;
    }
    taking += !server.fallback && entry["effective_weight"] != 0 ? 1 : 0;
    entry["weight_origin"] =
        weight_origin(service, observed, i, entry["effective_weight"].get<std::uint32_t>(), plan.fallback_in_use);
    if (overrides != nullptr && overrides->weight) entry["weight_order"] = weight_order(engine, *overrides->weight);
    if (overrides != nullptr && overrides->drain) entry["drain_order"] = drain_order(engine, *overrides->drain);
    servers.push_back(std::move(entry));
  }
  return {{"name", service.name},
          {"key", ipvs::to_string(service.key)},
          {"scheduler", service.spec.scheduler},
          {"forward", ipvs::to_string(service.forward)},
          {"quorum", plan.quorum},
          {"taking", taking},
          {"fallback_serves", plan.fallback_in_use},
          {"panicking", plan.panicking},
          {"servers", std::move(servers)}};
}

ordered_json status_but_services(const Engine& engine, const net::Result<ipvs::Snapshot>& table) {
  ordered_json root{{"cluster", engine.cluster().name},
                    {"node", engine.in_force().node().name},
                    {"version", net::version()},
                    {"files", to_string(engine.peers().own().files)},
                    {"started", net::timestamp(engine.started())},
                    {"checks", engine.health().checks()}};
  put_problems(engine, root, table);
  root["nodes"] = nodes_status(engine);
  root["vrrp"] = routers_status(engine);
  root["departures"] = draining_removed_status(engine, table);
  root["true_paths"] = vip_checks_status(engine.health().vip_checks());
  return root;
}

ordered_json status(const Engine& engine) {
  const auto table = engine.kernel().list();
  auto root = status_but_services(engine, table);
  root["services"] = ordered_json::array();
  for (const auto& service : engine.cluster().services) {
    root["services"].push_back(service_status(engine, service, table));
  }
  return root;
}

ordered_json vrrp_status(const Engine& engine) {
  return {{"node", engine.in_force().node().name}, {"nodes", nodes_status(engine)}, {"vrrp", routers_status(engine)}};
}

ordered_json events_status(const Engine& engine, std::uint64_t since) {
  ordered_json events = ordered_json::array();
  for (const auto& event : engine.log().events()) {
    if (event.number > since) events.push_back(event_json(event));
  }
  return {{"events", std::move(events)}};
}

ordered_json connections_of(const Engine& engine, const Change& change) {
  ordered_json leaving = ordered_json::array();
  net::Result<std::optional<ipvs::ServiceStatus>> status;
  const ipvs::ServiceKey* asked = nullptr;
  for (std::size_t i = 0; i < change.leaving.size(); ++i) {
    const auto& [key, destination] = change.leaving[i];
    if (asked == nullptr || *asked != key) status = engine.kernel().list(key);
    asked = &key;
    const ipvs::DestinationStatus* held = nullptr;
    if (status && *status && (*status)->destinations.contains(destination)) {
      held = &(*status)->destinations.at(destination);
    }
    leaving.push_back(leaving_json(change.servers.removed[i], held));
  }
  return leaving;
}

}  // namespace director
