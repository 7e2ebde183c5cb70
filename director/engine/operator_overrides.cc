#include "director/engine/operator_overrides.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "director/engine/reconciler.h"
#include "net/check.h"

namespace director {
namespace {

constexpr auto forget_interval = std::chrono::seconds(30);

std::chrono::seconds seconds_left(net::WallTime end, net::WallTime now) {
  return std::max(std::chrono::round<std::chrono::seconds>(end - now), std::chrono::seconds(0));
}

/// "drained on lb2", for the journal.
std::string describe(const Order& order) {
  const auto& node = order.origin().version.node;
  const bool is_drain = order.subject.kind == OrderKind::drain;
  if (std::holds_alternative<EndedOrder>(order.value))
    return fmt::format("{} on {}", is_drain ? "undrained" : "weight reset", node);
  if (is_drain) return fmt::format("drained on {}", node);
  return fmt::format("weight {} on {}", std::get<Overrides::Weight>(order.value).value, node);
}

std::pair<std::string, std::string> split(const std::string& name) {
  const auto slash = name.find('/');
  return {name.substr(0, slash), name.substr(slash + 1)};
}

}  // namespace

OperatorOverrides::~OperatorOverrides() {
  loop_.cancel(timer_);
  loop_.cancel(forget_timer_);
}

void OperatorOverrides::open(std::uint64_t process) {
  process_ = process;
  store_.update(
      [this](PersistentState& state) { return adopt_uncounted(state.orders, in_force_.node().name, process_); });
  exchange_.load(store_.state().orders);
  note_file();
  forget_ended();
}

void OperatorOverrides::note_file() {
  std::set<std::string> nodes;
  for (const auto& node : in_force_.cluster().nodes) nodes.insert(node.name);
  exchange_.set_nodes(in_force_.cluster().name, in_force_.node().name, std::move(nodes));
}

RequestResult<std::string> OperatorOverrides::drain(const std::string& service, const std::string& server,
                                                    const std::string& reason,
                                                    std::optional<std::chrono::seconds> within, const std::string& by) {
  const auto key = in_force_.find(service, server);
  if (!key) return std::unexpected(no_server(service, server));
  const std::string name = in_force_.name_of(*key);
  const auto now = store_.now();
  const auto* current = overrides_of(store_.state(), service, server);
  if (current != nullptr && current->drain && reason.empty() && !within && !current->drain->deadline) {
    return fmt::format("{} is already draining", name);
  }
  auto drain =
      current != nullptr && current->drain ? *current->drain : Overrides::Drain{.since = now, .reason = reason};
  if (!reason.empty()) drain.reason = reason;
  drain.deadline = within ? std::optional(now + *within) : std::nullopt;
  give(name, std::move(drain), OrderKind::drain, by);
  reconciler_.mark_dirty(key->service);
  log_.add(events::server_drain(name, reason, within));
  reconciler_.reconcile();
  if (within && within->count() == 0)
    return fmt::format("{}: disabled; removed from the table, open connections are closed", name);
  const auto limit = within ? fmt::format(" (drain timeout {})", net::to_string(*within)) : "";
  return fmt::format("{}: draining; no new connections, open connections continue{}", name, limit);
}

RequestResult<std::string> OperatorOverrides::undrain(const std::string& service, const std::string& server,
                                                      const std::string& by) {
  const auto key = in_force_.find(service, server);
  const auto name = service + "/" + server;
  const auto* current = overrides_of(store_.state(), service, server);
  const bool drained = current != nullptr && current->drain;
  if (!key && !drained) return std::unexpected(no_server(service, server));
  if (!drained) return fmt::format("{} is not drained", name);
  const bool disabled = admin_state_in(*current, store_.now()) == AdminState::disabled;
  give(name, EndedOrder{.origin = {}, .at = store_.now()}, OrderKind::drain, by);
  log_.add(events::server_undrain(name, disabled));
  if (!key) {
    return fmt::format("{}: no longer {}; not in the cluster file", name, disabled ? "disabled" : "drained");
  }
  reconciler_.mark_dirty(key->service);
  reconciler_.reconcile();
  return fmt::format("{}: gets new connections again as soon as its checks pass", name);
}

RequestResult<std::string> OperatorOverrides::set_weight(const std::string& service, const std::string& server,
                                                         std::optional<std::uint32_t> weight, const std::string& reason,
                                                         std::optional<std::chrono::seconds> time,
                                                         const std::string& by) {
  const auto key = in_force_.find(service, server);
  if (!key) return std::unexpected(no_server(service, server));
  const std::string name = in_force_.name_of(*key);
  const auto now = store_.now();
  if (weight) {
    const auto until = time ? std::optional(now + *time) : std::nullopt;
    give(name, Overrides::Weight{.value = *weight, .since = now, .reason = reason, .until = until}, OrderKind::weight,
         by);
  } else if (const auto* current = overrides_of(store_.state(), service, server);
             current != nullptr && current->weight) {
    give(name, EndedOrder{.origin = {}, .at = now}, OrderKind::weight, by);
  }
  reconciler_.mark_dirty(key->service);
  auto event = events::server_weight(name, weight, in_force_.at(*key).weight, reason, time);
  auto answer = fmt::format("{}: {}", name, event.text);
  log_.add(std::move(event));
  reconciler_.reconcile();
  expire_weights();
  return answer;
}

void OperatorOverrides::expire_weights() {
  loop_.cancel(std::exchange(timer_, 0));
  const auto now = store_.now();
  std::optional<net::WallTime> next;
  std::vector<std::string> over;
  for (const auto& [name, overrides] : store_.state().orders.standing) {
    if (!overrides.weight || !overrides.weight->until) continue;
    const auto until = *overrides.weight->until;
    if (until <= now) {
      over.push_back(name);
    } else {
      next = std::min(until, next.value_or(until));
    }
  }
  for (const auto& name : over) end_weight(name);
  if (!over.empty()) reconciler_.reconcile();
  if (next) timer_ = loop_.after(*next - now, [this] { expire_weights(); });
}

/// Also of a server that has left the file since.
void OperatorOverrides::end_weight(const std::string& name) {
  const auto ended =
      net::must_find(store_.state().orders.standing, name, "a weight that is over is in the state").weight->value;
  store_.update([&](PersistentState& state) {
    exchange_.end(state.orders, {.server = name, .kind = OrderKind::weight}, store_.now());
    return true;
  });
  const auto [service, server] = split(name);
  const auto key = in_force_.find(service, server);
  const auto file_weight = key ? std::optional(in_force_.at(*key).weight) : std::nullopt;
  log_.add(events::server_weight_expired(name, ended, file_weight));
  if (key) reconciler_.mark_dirty(key->service);
}

void OperatorOverrides::give(const std::string& server, OrderValue value, OrderKind kind, const std::string& by) {
  store_.update([&](PersistentState& state) {
    Order order{.subject = {.server = server, .kind = kind}, .value = std::move(value)};
    auto origin = new_origin(state.orders, order.subject, in_force_.node().name, process_, by);
    std::visit([&](auto& each) { each.origin = std::move(origin); }, order.value);
    exchange_.give(state.orders, std::move(order));
    return true;
  });
}

net::Result<OrderExchange::Received> OperatorOverrides::receive(OrderExchange::Session session, OrderMessage message) {
  net::Result<OrderExchange::Received> received;
  store_.update([&](PersistentState& state) {
    received = exchange_.receive(state.orders, session, std::move(message), loop_.now());
    return received && received->book_changed;
  });
  if (!received) return received;
  for (const auto& change : received->changes) report(change);
  if (!received->changes.empty()) {
    reconciler_.reconcile();
    expire_weights();
  }
  return received;
}

/// Another director's order, which is in force by now or is not to be.
void OperatorOverrides::report(const OrderExchange::Change& change) {
  const auto& [order, before, merged] = change;
  const auto& name = order.subject.server;
  if (merged == Merged::won) log_.add(events::orders_concurrent(name, describe(order), describe(*before)));
  if (merged == Merged::lost) return log_.add(events::orders_concurrent(name, describe(*before), describe(order)));
  const auto [service, server] = split(name);
  const auto key = in_force_.find(service, server);
  const auto now = store_.now();
  const auto& node = order.origin().version.node;
  if (const auto* drain = std::get_if<Overrides::Drain>(&order.value)) {
    const auto within = drain->deadline ? std::optional(seconds_left(*drain->deadline, now)) : std::nullopt;
    log_.add(events::server_drain(name, drain->reason, within, node));
  } else if (const auto* weight = std::get_if<Overrides::Weight>(&order.value)) {
    const auto time = weight->until ? std::optional(seconds_left(*weight->until, now)) : std::nullopt;
    log_.add(
        events::server_weight(name, weight->value, key ? in_force_.at(*key).weight : 0, weight->reason, time, node));
  } else if (before) {
    const auto* drained = std::get_if<Overrides::Drain>(&before->value);
    if (drained != nullptr) {
      const bool disabled = admin_state_in({.drain = *drained}, now) == AdminState::disabled;
      log_.add(events::server_undrain(name, disabled, node));
    } else if (std::holds_alternative<Overrides::Weight>(before->value)) {
      log_.add(events::server_weight(name, {}, key ? in_force_.at(*key).weight : 0, "", {}, node));
    }
  }
  if (key) reconciler_.mark_dirty(key->service);
}

std::optional<OrderMessage> OperatorOverrides::next_message(OrderExchange::Session session) {
  if (store_.is_durable()) exchange_.note_saved(store_.state().orders.known);
  return exchange_.next(session, store_.state().orders);
}

void OperatorOverrides::forget_ended() {
  forget_timer_ = loop_.after(forget_interval, [this] { forget_ended(); });
  if (store_.state().orders.ended.empty()) return;
  if (store_.is_durable()) exchange_.note_saved(store_.state().orders.known);
  store_.update(
      [&](PersistentState& state) { return exchange_.forget_ended(state.orders, store_.now(), loop_.now()); });
}

RequestError OperatorOverrides::no_server(const std::string& service, const std::string& server) const {
  return {.kind = RequestError::Kind::not_found,
          .message = fmt::format("there is no server {}/{} in cluster {}", service, server, in_force_.cluster().name)};
}

AdminState admin_state_in(const Overrides& overrides, net::WallTime now) {
  if (!overrides.drain) return AdminState::enabled;
  return overrides.drain->deadline && *overrides.drain->deadline <= now ? AdminState::disabled : AdminState::drained;
}

}  // namespace director
