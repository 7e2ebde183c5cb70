#include "director/engine/operator_orders.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "director/engine/reconciler.h"

namespace director {

RequestResult<std::string> OperatorOrders::drain(const std::string& service, const std::string& server,
                                                 const std::string& reason,
                                                 std::optional<std::chrono::seconds> within) {
  const auto key = in_force_.find(service, server);
  if (!key) return std::unexpected(no_server(service, server));
  const std::string name = in_force_.name_of(*key);
  const auto now = store_.now();
  const auto* ordered = orders_of(store_.state(), service, server);
  if (ordered != nullptr && ordered->drain && reason.empty() && !within && !ordered->drain->deadline) {
    return fmt::format("{} is already draining", name);
  }
  change(name, [&](Orders& orders) {
    if (!orders.drain) orders.drain = {.since = now, .reason = reason};
    if (!reason.empty()) orders.drain->reason = reason;
    orders.drain->deadline = within ? std::optional(now + *within) : std::nullopt;
  });
  reconciler_.mark_dirty(key->service);
  log_.add(events::server_drain(name, reason, within));
  reconciler_.reconcile();
  if (within && within->count() == 0)
    return fmt::format("{}: disabled; removed from the table, open connections are closed", name);
  const auto until = within ? fmt::format(" for {} at most", net::to_string(*within)) : "";
  return fmt::format("{}: draining; no new connections, open connections continue{}", name, until);
}

RequestResult<std::string> OperatorOrders::undrain(const std::string& service, const std::string& server) {
  const auto key = in_force_.find(service, server);
  const auto name = service + "/" + server;
  const auto* ordered = orders_of(store_.state(), service, server);
  const bool drained = ordered != nullptr && ordered->drain;
  if (!key && !drained) return std::unexpected(no_server(service, server));
  if (!drained) return fmt::format("{} is not drained", name);
  const bool disabled = order_in(*ordered, store_.now()) == Order::out;
  change(name, [](Orders& orders) { orders.drain.reset(); });
  log_.add(events::server_drain_taken_back(name, disabled));
  if (!key) {
    return fmt::format("{}: no longer {}; not in the cluster file", name, disabled ? "disabled" : "drained");
  }
  reconciler_.mark_dirty(key->service);
  reconciler_.reconcile();
  return fmt::format("{}: gets new connections again as soon as its checks pass", name);
}

RequestResult<std::string> OperatorOrders::set_weight(const std::string& service, const std::string& server,
                                                      std::optional<std::uint32_t> weight, const std::string& reason,
                                                      std::optional<std::chrono::seconds> time) {
  const auto key = in_force_.find(service, server);
  if (!key) return std::unexpected(no_server(service, server));
  const std::string name = in_force_.name_of(*key);
  const auto now = store_.now();
  change(name, [&](Orders& orders) {
    orders.weight.reset();
    if (!weight) return;
    orders.weight = {.value = *weight, .since = now, .reason = reason};
    if (time) orders.weight->until = now + *time;
  });
  reconciler_.mark_dirty(key->service);
  auto event = events::server_weight(name, weight, in_force_.find(*key)->weight, reason, time);
  auto answer = fmt::format("{}: {}", name, event.text);
  log_.add(std::move(event));
  reconciler_.reconcile();
  look();
  return answer;
}

void OperatorOrders::look() {
  loop_.cancel(std::exchange(timer_, 0));
  const auto now = store_.now();
  std::optional<net::WallTime> next;
  std::vector<std::string> over;
  for (const auto& [name, orders] : store_.state().orders) {
    if (!orders.weight || !orders.weight->until) continue;
    const auto until = *orders.weight->until;
    if (until <= now) {
      over.push_back(name);
    } else {
      next = std::min(until, next.value_or(until));
    }
  }
  for (const auto& name : over) end_weight(name);
  if (!over.empty()) reconciler_.reconcile();
  if (next) timer_ = loop_.after(*next - now, [this] { look(); });
}

/// Also of a server that has left the file since.
void OperatorOrders::end_weight(const std::string& name) {
  const auto ended = store_.state().orders.at(name).weight->value;
  change(name, [](Orders& orders) { orders.weight.reset(); });
  const auto slash = name.find('/');
  const auto key = in_force_.find(name.substr(0, slash), name.substr(slash + 1));
  const auto of_file = key ? std::optional(in_force_.find(*key)->weight) : std::nullopt;
  log_.add(events::server_weight_over(name, ended, of_file));
  if (key) reconciler_.mark_dirty(key->service);
}

void OperatorOrders::change(const std::string& name, const std::function<void(Orders&)>& change) {
  store_.update([&](Intents& state) {
    Orders& orders = state.orders[name];
    const auto before = orders;
    change(orders);
    const bool changed = orders != before;
    if (orders == Orders{}) state.orders.erase(name);
    return changed;
  });
}

RequestError OperatorOrders::no_server(const std::string& service, const std::string& server) const {
  return {.kind = RequestError::Kind::not_found,
          .message = fmt::format("there is no server {}/{} in cluster {}", service, server, in_force_.cluster().name)};
}

Order order_in(const Orders& orders, net::WallTime now) {
  if (!orders.drain) return Order::none;
  return orders.drain->deadline && *orders.drain->deadline <= now ? Order::out : Order::drain;
}

}  // namespace director
