// What the director says of itself, as JSON: GET /v1/status and GET /v1/events.

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "director/engine/change_json.h"
#include "director/engine/director.h"
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

ordered_json weight_order(const Orders::Weight& weight) {
  ordered_json value{{"weight", weight.value}, {"reason", weight.reason}};
  if (weight.since != WallTime()) value["since"] = net::timestamp(weight.since);
  if (weight.until) value["until"] = net::timestamp(*weight.until);
  return value;
}

/// "weight 5 by the operator since 2026-11-27T14:03:12Z (3 min ago), until ... (in 7 min) (disk)".
std::string weight_reason(const Orders::Weight& weight, net::WallTime now) {
  auto text = fmt::format("weight {} by the operator", weight.value);
  if (weight.since != WallTime()) text += " since " + net::timestamp_and_age(weight.since, now);
  if (weight.until) text += ", until " + net::timestamp_and_age(*weight.until, now);
  return weight.reason.empty() ? text : text + " (" + weight.reason + ")";
}

/// `from` and `to` of a change of state alone.
ordered_json event_json(const Event& event) {
  ordered_json value{{"number", event.number},           {"at", net::timestamp(event.at)},
                     {"kind", type_of(event.kind).name}, {"severity", to_string(type_of(event.kind).level)},
                     {"subject", event.subject},         {"text", event.text}};
  if (!event.from.empty()) value["from"] = event.from;
  if (!event.to.empty()) value["to"] = event.to;
  if (!event.reason.empty()) value["reason"] = event.reason;
  if (event.since) value["since"] = net::timestamp(*event.since);
  return value;
}

/// The private services, which no listing of services shows.
ordered_json true_paths_status(const TruePaths& paths) {
  ordered_json all = ordered_json::array();
  for (const auto& [key, way] : paths.services()) {
    if (!way) continue;
    all.push_back(
        {{"mark", key.fwmark}, {"server", net::to_string(way->server)}, {"forward", ipvs::to_string(way->forward)}});
  }
  return all;
}

}  // namespace

std::string Director::reason_of(ServerId id) const {
  const auto& service = cluster_.services[id.service];
  const auto& server = service.servers[id.server];
  std::string text;
  const auto ordered = store_.state().orders.find(name_of(id));
  if (ordered != store_.state().orders.end() && ordered->second.drain) {
    const auto& drain = *ordered->second.drain;
    const bool out = states_[id.service].situation.servers[id.server].order == Order::out;
    const bool timed_out = out && drain.deadline && *drain.deadline > drain.since;
    const auto since = net::timestamp_and_age(drain.since, loop_.clock().wall());
    text = timed_out ? fmt::format("disabled: drain time reached at {}, drained by the operator since {}",
                                   net::timestamp_and_age(*drain.deadline, loop_.clock().wall()), since)
                     : fmt::format("{} by the operator since {}", out ? "disabled" : "drained", since);
    if (!drain.reason.empty()) text += " (" + drain.reason + ")";
  }
  if (ordered != store_.state().orders.end() && ordered->second.weight) {
    if (!text.empty()) text += "; ";
    text += weight_reason(*ordered->second.weight, loop_.clock().wall());
  }
  if (service.checks.empty()) return text.empty() ? "no check" : text;
  for (const auto& check : service.checks) {
    const auto* health = checkers_.find(true_paths_.aim(service, server, check));
    if (health == nullptr) continue;
    if (!text.empty()) text += "; ";
    text += checkers::describe(*health, check.thresholds, loop_.now(), wall_.at(loop_.now()));
  }
  return text;
}

ordered_json Director::service_status(std::size_t s, const net::Result<ipvs::Snapshot>& table) const {
  const auto& service = cluster_.services[s];
  const ipvs::ServiceStatus* held = nullptr;
  if (table) {
    const auto found = table->find(service.key);
    if (found != table->end()) held = &found->second;
  }
  const auto& planned = states_[s].plan.entry;
  ordered_json servers = ordered_json::array();
  std::size_t taking = 0;
  for (std::size_t i = 0; i < service.servers.size(); ++i) {
    const auto& server = service.servers[i];
    const ipvs::DestinationKey key{.endpoint = server.endpoint};
    const auto destination = planned.destinations.find(key);
    ordered_json entry{{"name", server.name},
                       {"address", net::to_string(server.endpoint)},
                       {"health", checkers::to_string(states_[s].situation.servers[i].health)},
                       {"since", net::timestamp(wall_.at(states_[s].situation.servers[i].since))},
                       {"reason", reason_of({.service = s, .server = i})},
                       {"weight", states_[s].situation.servers[i].weight.value_or(server.weight)},
                       {"file_weight", server.weight},
                       {"weight_origin", ""},  // of the effective one, below
                       {"effective_weight", destination == planned.destinations.end() ? 0 : destination->second.weight},
                       {"drained", states_[s].situation.servers[i].order != Order::none},
                       {"fallback", server.fallback}};
    if (const auto order = states_[s].situation.servers[i].order; order != Order::none) {
      entry["order"] = order == Order::drain ? "drained" : "disabled";
    }
    if (const auto drain = drains_.find({service.key, key}); drain != drains_.end()) {
      entry["drain"] = drain_status(drain->second);
    }
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
        weight_origin(service, states_[s].situation, i, entry["effective_weight"].get<std::uint32_t>(),
                      states_[s].plan.fallback_serves);
    if (const auto ordered = store_.state().orders.find(name_of({.service = s, .server = i}));
        ordered != store_.state().orders.end() && ordered->second.weight) {
      entry["weight_order"] = weight_order(*ordered->second.weight);
    }
    servers.push_back(std::move(entry));
  }
  return {{"name", service.name},
          {"key", ipvs::to_string(service.key)},
          {"scheduler", service.spec.scheduler},
          {"forward", ipvs::to_string(service.forward)},
          {"quorum", states_[s].plan.quorum},
          {"taking", taking},
          {"fallback_serves", states_[s].plan.fallback_serves},
          {"panicking", states_[s].plan.panicking},
          {"servers", std::move(servers)}};
}

ordered_json Director::status_but_services(const net::Result<ipvs::Snapshot>& snapshot) const {
  ordered_json root{{"cluster", cluster_.name},
                    {"node", options_.node.name},
                    {"version", net::version()},
                    {"files", to_string(cluster_.fingerprint)},
                    {"started", net::timestamp(started_)},
                    {"checks", checkers_.size()}};
  put_problems(root, snapshot);
  root["nodes"] = peers_.status(cluster_, options_.dry_run);
  root["vrrp"] = routers_status();
  root["departures"] = ordered_json::array();
  for (const auto& [which, departure] : store_.state().departures) {
    auto value = drain_status(departure);
    value["service"] = ipvs::to_string(which.first);
    value["destination"] = ipvs::to_string(which.second);
    if (snapshot) {
      const auto service = snapshot->find(which.first);
      if (service != snapshot->end() && service->second.destinations.contains(which.second)) {
        const auto& held = service->second.destinations.at(which.second);
        value["active"] = held.active;
        value["inactive"] = held.inactive;
      }
    }
    root["departures"].push_back(std::move(value));
  }
  root["true_paths"] = true_paths_status(true_paths_);
  return root;
}

ordered_json Director::status() const {
  const auto table = kernel_.list();
  auto root = status_but_services(table);
  root["services"] = ordered_json::array();
  for (std::size_t s = 0; s < cluster_.services.size(); ++s) root["services"].push_back(service_status(s, table));
  return root;
}

ordered_json Director::events(std::uint64_t since) const {
  ordered_json events = ordered_json::array();
  for (const auto& event : log_.events()) {
    if (event.number > since) events.push_back(event_json(event));
  }
  return {{"events", std::move(events)}};
}

ordered_json Director::connections_of(const Change& change) const {
  ordered_json leaving = ordered_json::array();
  net::Result<std::optional<ipvs::ServiceStatus>> status;
  const ipvs::ServiceKey* asked = nullptr;
  for (std::size_t i = 0; i < change.leaving.size(); ++i) {
    const auto& [key, destination] = change.leaving[i];
    if (asked == nullptr || *asked != key) status = kernel_.list(key);
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
