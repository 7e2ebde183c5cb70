#include "director/orders/order_book.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace director {
namespace {

/// Processes whose orders have all been replaced or forgotten. Forgetting one too early costs a message.
constexpr std::size_t most_known_without_orders = 256;

void put(OrderBook& book, Order order) {
  auto& [subject, value] = order;
  const bool is_over = std::holds_alternative<EndedOrder>(value);
  auto standing = is_over ? book.standing.find(subject.server) : book.standing.try_emplace(subject.server).first;
  if (standing != book.standing.end()) {
    auto& [drain, weight] = standing->second;
    if (subject.kind == OrderKind::drain) {
      drain.reset();
      if (auto* given = std::get_if<Overrides::Drain>(&value)) drain = std::move(*given);
    } else {
      weight.reset();
      if (auto* given = std::get_if<Overrides::Weight>(&value)) weight = std::move(*given);
    }
    if (!drain && !weight) book.standing.erase(standing);
  }
  if (is_over) {
    book.ended.insert_or_assign(std::move(subject), std::get<EndedOrder>(std::move(value)));
  } else {
    book.ended.erase(subject);
  }
}

}  // namespace

std::optional<Order> find_order(const OrderBook& book, const OrderSubject& subject) {
  if (const auto standing = book.standing.find(subject.server); standing != book.standing.end()) {
    const auto& [drain, weight] = standing->second;
    if (subject.kind == OrderKind::drain && drain) return Order{.subject = subject, .value = *drain};
    if (subject.kind == OrderKind::weight && weight) return Order{.subject = subject, .value = *weight};
  }
  const auto ended = book.ended.find(subject);
  if (ended == book.ended.end()) return std::nullopt;
  return Order{.subject = subject, .value = ended->second};
}

void for_each_order(const OrderBook& book, const std::function<void(const Order&)>& visit) {
  for (const auto& [server, overrides] : book.standing) {
    if (overrides.drain) visit({.subject = {.server = server, .kind = OrderKind::drain}, .value = *overrides.drain});
    if (overrides.weight) visit({.subject = {.server = server, .kind = OrderKind::weight}, .value = *overrides.weight});
  }
  for (const auto& [subject, order] : book.ended) visit({.subject = subject, .value = order});
}

OrderOrigin new_origin(const OrderBook& book, const OrderSubject& subject, const std::string& node,
                       std::uint64_t process, const std::string& by) {
  const auto current = find_order(book, subject);
  return {.version = {.counter = book.counter + 1, .node = node, .process = process},
          .replaces = current ? current->origin().version : OrderVersion{},
          .by = by};
}

void give(OrderBook& book, Order order) {
  const auto version = order.origin().version;
  book.counter = std::max(book.counter, version.counter);
  learn(book, {{version.process, version.counter}});
  put(book, std::move(order));
}

net::Result<> check_counter(const OrderBook& book, const Order& order) {
  const auto counter = order.origin().version.counter;
  if (counter != 0 && (counter <= book.counter || counter - book.counter <= counter_jump_max)) return {};
  return net::failure(fmt::format("order of {}: its counter {} is too far from this node's, {}", order.subject.server,
                                  counter, book.counter));
}

Merged merge(OrderBook& book, Order order) {
  const auto origin = order.origin();
  const auto current = find_order(book, order.subject);
  book.counter = std::max(book.counter, origin.version.counter);
  if (!current) {
    put(book, std::move(order));
    return Merged::replaced;
  }
  const auto& held = current->origin();
  if (held.version == origin.version) return Merged::known;
  if (origin.version < held.version) return held.replaces < origin.version ? Merged::lost : Merged::older;
  put(book, std::move(order));
  return origin.replaces < held.version ? Merged::won : Merged::replaced;
}

bool adopt_uncounted(OrderBook& book, const std::string& node, std::uint64_t process) {
  bool any = false;
  const auto adopt = [&](OrderOrigin& origin) {
    if (origin.version.counter != 0) return;
    origin.version = {.counter = 1, .node = node, .process = process};
    any = true;
  };
  for (auto& [server, overrides] : book.standing) {
    if (overrides.drain) adopt(overrides.drain->origin);
    if (overrides.weight) adopt(overrides.weight->origin);
  }
  if (any) {
    book.counter = std::max<std::uint64_t>(book.counter, 1);
    learn(book, {{process, 1}});
  }
  return any;
}

void learn(OrderBook& book, const KnownOrders& more) {
  add(book.known, more);
  if (book.known.size() <= most_known_without_orders) return;
  std::set<std::uint64_t> in_use;
  for_each_order(book, [&](const Order& order) { in_use.insert(order.origin().version.process); });
  std::vector<std::pair<std::uint64_t, std::uint64_t>> idle;  // counter, process
  for (const auto& [process, counter] : book.known) {
    if (!in_use.contains(process)) idle.emplace_back(counter, process);
  }
  if (idle.size() <= most_known_without_orders) return;
  std::ranges::sort(idle);
  idle.resize(idle.size() - most_known_without_orders);
  for (const auto& [counter, process] : idle) book.known.erase(process);
}

}  // namespace director
