#include "director/orders/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <tuple>

#include "director/orders/order_json.h"

namespace director {
namespace {

using nlohmann::json;

constexpr std::size_t name_max = 256, text_max = 300, digest_max = 64;
constexpr std::uint64_t count_max = 1'000'000;

/// At the end of a character.
std::string cut(std::string_view text) {
  if (text.size() <= text_max) return std::string(text);
  auto end = text_max - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

json to_json(const NodeReport& node) {
  json value{{"version", cut(node.version)}, {"files", node.files}, {"problem_count", node.problem_count}};
  if (!node.not_ready.empty()) value["not_ready"] = cut(node.not_ready);
  auto& routers = value["routers"] = json::object();
  for (const auto& [name, role] : node.routers) {
    if (routers.size() == NodeReport::routers_max) break;
    if (name.size() <= name_max) routers[name] = cut(role);
  }
  auto& problems = value["problems"] = json::array();
  for (const auto& problem : node.problems) {
    if (problems.size() == NodeReport::problems_max) break;
    problems.push_back(cut(problem));
  }
  return value;
}

NodeReport node_of(const json& value) {
  NodeReport node{.version = text_in(member(value, "version"), text_max, "version"),
                  .files = text_in(member(value, "files"), digest_max, "digest"),
                  .problem_count = number_in(member(value, "problem_count"), count_max, "count")};
  if (value.contains("not_ready")) node.not_ready = text_in(value.at("not_ready"), text_max, "reason");
  const auto& routers = member(value, "routers");
  if (!routers.is_object() || routers.size() > NodeReport::routers_max) throw std::invalid_argument("not routers");
  for (const auto& [name, role] : routers.items()) {
    if (name.size() > name_max) throw std::invalid_argument("not a router");
    node.routers[name] = text_in(role, text_max, "role");
  }
  const auto& problems = member(value, "problems");
  if (!problems.is_array() || problems.size() > NodeReport::problems_max) throw std::invalid_argument("not problems");
  for (const auto& problem : problems) node.problems.push_back(text_in(problem, text_max, "problem"));
  return node;
}

json to_json(const ServiceReport& service, WallTime now) {
  json value{{"table", service.table}, {"in_service", service.in_service}, {"servers", service.servers}};
  for (const auto& [name, down] : service.down) {
    auto& told = value["down"][name] = {{"reason", cut(down.reason)}};
    put_age(told, "age_ms", down.since, now);
  }
  for (const auto& [name, why] : service.up) value["up"][name] = cut(why);
  return value;
}

/// The member of that name, by servers; empty where there is none.
json servers_in(const json& service, const char* name) {
  if (!service.contains(name)) return json::object();
  const auto& servers = service.at(name);
  if (!servers.is_object() || servers.size() > ServiceReport::down_max) throw std::invalid_argument("not servers");
  for (const auto& [server, why] : servers.items()) {
    if (server.size() > name_max) throw std::invalid_argument("not a server");
  }
  return servers;
}

ServiceReport service_of(const json& value, WallTime now) {
  ServiceReport service{.table = text_in(member(value, "table"), digest_max, "digest"),
                        .in_service = number_in(member(value, "in_service"), count_max, "count"),
                        .servers = number_in(member(value, "servers"), count_max, "count")};
  const auto down = servers_in(value, "down"), up = servers_in(value, "up");
  for (const auto& [name, why] : down.items()) {
    std::ignore = member(why, "age_ms");  // must be there
    service.down[name] = {.reason = text_in(member(why, "reason"), text_max, "reason"),
                          .since = time_before(why, "age_ms", now)};
  }
  for (const auto& [name, why] : up.items()) service.up[name] = text_in(why, text_max, "reason");
  return service;
}

}  // namespace

void put_reports(const Reports& reports, json& message, WallTime now) {
  if (reports.node) message["node"] = to_json(*reports.node);
  for (const auto& [name, service] : reports.services)
    message["services"][name] = service ? to_json(*service, now) : json();
}

Reports reports_in(const json& message, WallTime now) {
  Reports reports;
  if (message.contains("node")) reports.node = node_of(message.at("node"));
  if (!message.contains("services")) return reports;
  const auto& services = message.at("services");
  if (!services.is_object()) throw std::invalid_argument("not services");
  for (const auto& [name, service] : services.items()) {
    if (name.empty() || name.size() > name_max) throw std::invalid_argument("not a service");
    reports.services[name] = service.is_null() ? std::nullopt : std::optional(service_of(service, now));
  }
  return reports;
}

std::size_t message_bytes(const std::string& name, const std::optional<ServiceReport>& service) {
  constexpr std::size_t rest = 128;  // of the keys and numbers
  std::size_t bytes = rest + 2 * name.size();
  if (!service) return bytes;
  for (const auto& [server, down] : service->down)
    bytes += rest + 2 * server.size() + 2 * std::min(down.reason.size(), text_max);
  for (const auto& [server, why] : service->up) bytes += rest + 2 * server.size() + 2 * std::min(why.size(), text_max);
  return bytes;
}

}  // namespace director
