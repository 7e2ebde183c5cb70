#include "director/orders/order.h"

#include <algorithm>

namespace director {

std::string_view to_string(OrderKind kind) { return kind == OrderKind::drain ? "drain" : "weight"; }

bool covers(const KnownOrders& known, const OrderVersion& version) {
  const auto found = known.find(version.process);
  return found != known.end() && found->second >= version.counter;
}

bool covers(const KnownOrders& known, const KnownOrders& other) {
  return std::ranges::all_of(other, [&](const auto& entry) {
    return covers(known, OrderVersion{.counter = entry.second, .node = {}, .process = entry.first});
  });
}

void add(KnownOrders& known, const KnownOrders& more) {
  for (const auto& [process, counter] : more) {
    auto& mine = known[process];
    mine = std::max(mine, counter);
  }
}

}  // namespace director
