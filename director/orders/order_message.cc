#include "director/orders/order_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "director/orders/order_json.h"
#include "net/utf8.h"

namespace director {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::uint64_t weight_max = 65535;
constexpr std::size_t name_max = 1024;    // of a server with its service
constexpr std::size_t node_max = 256;     // of a node, a user or a cluster
constexpr std::size_t reason_max = 1000;  // as the control API takes
constexpr std::size_t nodes_max = 64;

void put_end(json& value, const std::optional<WallTime>& end, WallTime now) {
  if (end) value["left_ms"] = std::max<std::int64_t>(std::chrono::floor<milliseconds>(*end - now).count(), 0);
}

std::optional<WallTime> end_in(const json& value, WallTime now) {
  if (!value.contains("left_ms")) return std::nullopt;
  return now + milliseconds(number_in(value.at("left_ms"), age_max, "time"));
}

json to_json(const Order& order, WallTime now) {
  auto value = to_json(order.origin());
  value["server"] = order.subject.server;
  value["kind"] = to_string(order.subject.kind);
  if (const auto* ended = std::get_if<EndedOrder>(&order.value)) {
    value["ended"] = true;
    put_age(value, "age_ms", ended->at, now);
  } else if (const auto* drain = std::get_if<Overrides::Drain>(&order.value)) {
    put_age(value, "age_ms", drain->since, now);
    put_end(value, drain->deadline, now);
    value["reason"] = drain->reason;
  } else {
    const auto& weight = std::get<Overrides::Weight>(order.value);
    put_age(value, "age_ms", weight.since, now);
    put_end(value, weight.until, now);
    value["reason"] = weight.reason;
    value["weight"] = weight.value;
  }
  return value;
}

Order order_of(const json& value, WallTime now) {
  Order order{.subject = {.server = name_in(member(value, "server"), name_max, "server")}, .value = {}};
  if (order.subject.server.find('/') == std::string::npos) throw std::invalid_argument("not a server");
  order.subject.kind = kind_in(member(value, "kind"));
  auto origin = origin_from_json(value);
  const auto since = time_before(value, "age_ms", now);
  const auto end = end_in(value, now);
  const auto reason = value.contains("reason") ? text_in(value.at("reason"), reason_max, "reason") : "";
  if (value.contains("ended")) {
    order.value = EndedOrder{.origin = std::move(origin), .at = since};
  } else if (order.subject.kind == OrderKind::drain) {
    order.value = Overrides::Drain{.since = since, .reason = reason, .deadline = end, .origin = std::move(origin)};
  } else {
    order.value =
        Overrides::Weight{.value = static_cast<std::uint32_t>(number_in(member(value, "weight"), weight_max, "weight")),
                          .since = since,
                          .reason = reason,
                          .until = end,
                          .origin = std::move(origin)};
  }
  return order;
}

std::string_view reason_of(const Order& order) {
  if (const auto* drain = std::get_if<Overrides::Drain>(&order.value)) return drain->reason;
  const auto* weight = std::get_if<Overrides::Weight>(&order.value);
  return weight == nullptr ? std::string_view() : weight->reason;
}

OrderMessage message_of(const json& value, WallTime now) {
  if (!value.is_object()) throw std::invalid_argument("not an object");
  OrderMessage message;
  if (value.contains("hello")) {
    const auto& hello = value.at("hello");
    message.hello = {.cluster = name_in(member(hello, "cluster"), node_max, "cluster"),
                     .node = name_in(member(hello, "node"), node_max, "node")};
  }
  if (value.contains("orders")) {
    for (const auto& order : value.at("orders")) message.orders.push_back(order_of(order, now));
  }
  if (value.contains("sent")) message.sent = known_from_json(value.at("sent"));
  if (value.contains("holds")) {
    const auto& holds = value.at("holds");
    if (!holds.is_object() || holds.size() > nodes_max) throw std::invalid_argument("not a list of nodes");
    for (const auto& [node, has] : holds.items()) {
      if (node.empty() || node.size() > node_max) throw std::invalid_argument("not a node");
      auto held = known_from_json(member(has, "held"));
      auto saved = has.contains("saved") ? known_from_json(has.at("saved")) : held;
      message.holds[node] = {.held = std::move(held), .saved = std::move(saved)};
    }
  }
  if (value.contains("connected")) {
    const auto& nodes = value.at("connected");
    if (!nodes.is_array() || nodes.size() > nodes_max) throw std::invalid_argument("not a list of nodes");
    auto& connected = message.connected.emplace();
    for (const auto& node : nodes) connected.push_back(name_in(node, node_max, "node"));
  }
  message.reports = reports_in(value, now);
  return message;
}

}  // namespace

bool can_be_told(const Order& order) {
  const auto& origin = order.origin();
  return order.subject.server.size() <= name_max && origin.by.size() <= node_max &&
         reason_of(order).size() <= reason_max && origin.version.node.size() <= node_max &&
         origin.version.counter <= counter_max;
}

std::size_t message_bytes(const Order& order) {
  constexpr std::size_t rest = 512;  // of the keys and numbers
  const auto& origin = order.origin();
  // A control character takes six bytes as JSON.
  return rest + 6 * (order.subject.server.size() + origin.version.node.size() + origin.replaces.node.size() +
                     origin.by.size() + reason_of(order).size());
}

std::string encode(const OrderMessage& message, WallTime now) {
  json value = json::object();
  if (message.hello) value["hello"] = {{"cluster", message.hello->cluster}, {"node", message.hello->node}};
  if (!message.orders.empty()) {
    auto& orders = value["orders"] = json::array();
    for (const auto& order : message.orders) orders.push_back(to_json(order, now));
  }
  if (message.sent) value["sent"] = to_json(*message.sent);
  for (const auto& [node, has] : message.holds) {
    auto& holds = value["holds"][node] = {{"held", to_json(has.held)}};
    if (has.saved != has.held) holds["saved"] = to_json(has.saved);
  }
  if (message.connected) value["connected"] = *message.connected;
  put_reports(message.reports, value, now);
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

net::Result<OrderMessage> decode_order_message(std::string_view text, WallTime now) {
  if (text.size() > order_message_max) return net::failure("message of orders: too long");
  try {
    return message_of(json::parse(text), now);
  } catch (const std::exception& error) {
    return net::failure(fmt::format("message of orders: {}", net::printable(error.what())));
  }
}

}  // namespace director
