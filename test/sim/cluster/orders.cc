// What operators want: on the node that they told, and on the others where directors share orders.

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/cluster/world.h"

namespace cluster_sim {

using namespace std::chrono_literals;

void World::note_order(Node& node) {
  node.told_at = now_;
  node.history.push_back(node.overrides);
  await_durability(node, node.history.size() - 1);
}

void World::await_durability(Node& node, std::size_t order) {
  const auto known = node.director->store().state().orders.known;
  node.director->store().when_durable([this, &node, order, known](const std::string& why_not) {
    if (why_not.empty()) {
      node.promised = std::max(node.promised, order);
      node.promised_orders = known;
    } else if (++reached_["rule: an order is not durable in time"];
               std::ranges::none_of(node.director->problems(),
                                    [&](const director::Problem& problem) { return problem.reason == why_not; })) {
      violate(fmt::format("{} does not show that {}", node.config.name, why_not));
    }
  });
}

/// What the operator wants of a node that starts is what its disk has: nothing less than what was said to be durable.
void World::remember(Node& node) {
  const auto found = overrides_in(node.disk.written);
  check_promise(node, found);
  node.overrides = found;
  for (const auto& server : found.limited) node.ends.try_emplace(server, now_);  // of an order whose end was lost
  node.history = {overrides_in(node.disk.durable),
                  found};  // until the new life has seen to it, the first may come back
  node.promised = 0;
}

/// Of orders that others give too there is no one history: those that were promised must be known.
void World::check_promise(Node& node, const ExpectedOverrides& found) {
  if (node.promised > 0) ++reached_["rule: an order that is durable outlives its director"];
  const auto since = node.history.begin() + static_cast<std::ptrdiff_t>(node.promised);
  const auto known = node.disk.written.empty() ? director::KnownOrders()
                                               : director::state_from_json(node.disk.written).value().orders.known;
  const bool is_shared = !config::peer_keys(file_).empty();
  const bool is_kept = is_shared
                           ? director::covers(known, node.promised_orders)
                           : node.history.empty() || std::find(since, node.history.end(), found) != node.history.end();
  if (!is_kept) violate(node.config.name + " has lost an order that was said to be durable");
}

/// What other directors' operators want, which has come: from now on it is wanted here too.
void World::adopt_orders(Node& node) {
  if (!node.director || !node.director->sharing().is_on()) return;
  const auto& orders = node.director->overrides().orders();
  const auto found = overrides_in(orders);
  if (found == node.overrides) return;
  ++reached_["rule: an order that was given on another director is in force"];
  std::erase_if(node.ends, [&](const auto& end) {
    return node.overrides.limited.contains(end.first) && !found.limited.contains(end.first);
  });
  for (const auto& server : found.limited) {
    const auto left = *orders.standing.at(server).drain->deadline - node.director->store().now();
    node.ends[server] = now_ + std::max<Duration>(left, {}) - 1ms;
  }
  node.overrides = found;
  note_order(node);
}

ExpectedOverrides overrides_in(const std::string& text) {
  if (text.empty()) return {};
  const auto state = director::state_from_json(text);
  if (!state) throw Violation{"a state file is not whole: " + state.error().message};
  return overrides_in(state->orders);
}

ExpectedOverrides overrides_in(const director::OrderBook& orders) {
  ExpectedOverrides expected;
  for (const auto& [server, overrides] : orders.standing) {
    if (overrides.drain) expected.drained.insert(server);
    if (overrides.drain && overrides.drain->deadline) expected.limited.insert(server);
    if (overrides.weight && !overrides.weight->until)
      expected.weights[server] = static_cast<int>(overrides.weight->value);
  }
  return expected;
}

}  // namespace cluster_sim
