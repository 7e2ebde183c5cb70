#include "director/engine/observed_state.h"

#include <algorithm>

namespace director {
namespace {

using checkers::Advice;
using checkers::HealthState;

constexpr std::uint64_t weight_max = 65535;

}  // namespace

HealthSummary aggregate(std::span<const HealthSummary> checks, checkers::Combine combine, std::uint32_t weight) {
  std::vector<HealthState> states;
  for (const auto& check : checks) states.push_back(check.state);
  HealthSummary all{.state = checkers::combine(states, combine), .since = {}, .advice = {}};
  bool first = true;
  for (const auto& check : checks) {
    if (check.state == all.state) {
      const bool earlier = check.since < all.since;
      if (first || earlier == (all.state == HealthState::down)) all.since = check.since;
      first = false;
    }
    all.advice.admin_state = std::max(all.advice.admin_state, check.advice.admin_state);
    if (check.advice.weight && (!all.advice.weight || advised(check.advice, weight) < advised(all.advice, weight))) {
      all.advice.weight = check.advice.weight;
    }
  }
  return all;
}

std::uint32_t advised(const Advice& advice, std::uint32_t weight) {
  if (!advice.weight) return weight;
  const std::uint64_t value = advice.weight->value;
  if (!advice.weight->percent) return static_cast<std::uint32_t>(value);
  // Rounded up: a server that asks for some traffic gets some.
  return static_cast<std::uint32_t>(std::min((weight * value + 99) / 100, weight_max));
}

}  // namespace director
