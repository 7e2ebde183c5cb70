#include "checkers/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checkers/text.h"

namespace checkers {

HealthChange observe(Health& health, Result result, Thresholds limit, net::Instant now) {
  health.last_outcome = result.outcome;
  health.last = std::move(result.sentence);
  if (result.outcome != Outcome::not_run) {
    health.not_run_since.reset();
  } else if (result.suppressed) {
    return HealthChange::none;
  } else {
    if (!health.not_run_since) health.not_run_since = now;
    if (now - *health.not_run_since < shortage_limit) return HealthChange::none;
  }
  if (result.advice.admin_state != Advice::AdminState::none) health.advice.admin_state = result.advice.admin_state;
  if (result.advice.weight) health.advice.weight = result.advice.weight;

  const bool passed = result.outcome == Outcome::passed;
  if (passed) health.last_good = now;
  const HealthState seen = passed ? HealthState::up : HealthState::down;
  if (seen == health.state) {
    health.streak = 0;
    return HealthChange::none;
  }
  const bool first_decides = health.state == HealthState::unknown && (passed || !health.serving);
  const int needed = first_decides ? 1 : passed ? limit.rise : limit.fall;
  if (++health.streak < needed) return HealthChange::pending;
  health.state = seen;
  health.since = now;
  health.serving = false;
  health.decided_by = std::exchange(health.streak, 0);
  return HealthChange::changed;
}

std::string describe(const Health& health, Thresholds limit, net::Instant now, net::WallTime wall) {
  const auto since = wall - std::chrono::duration_cast<net::WallTime::duration>(now - health.since);
  auto text = fmt::format("{} since {}", to_string(health.state), net::timestamp_and_age(since, wall));
  if (health.streak > 0) {
    text += health.state == HealthState::down ? fmt::format(", passing {} of {}", health.streak, limit.rise)
                                              : fmt::format(", failing {} of {}", health.streak, limit.fall);
  } else if (health.state == HealthState::down) {
    text += fmt::format(", {0} of {0}", health.decided_by);
  }
  if (health.last.empty()) return text + ": no probe yet";
  text += ": " + health.last;
  if (health.last_outcome != Outcome::passed) {
    text += health.last_good ? fmt::format(" (last passed {} ago)", format_duration(now - *health.last_good))
                             : " (never passed)";
  }
  return text;
}

HealthState combine(std::span<const HealthState> states, Combine how) {
  if (states.empty()) return HealthState::up;
  const auto has = [&](HealthState state) { return std::ranges::find(states, state) != states.end(); };
  const auto decisive = how == Combine::all ? HealthState::down : HealthState::up;
  if (has(decisive)) return decisive;
  if (has(HealthState::unknown)) return HealthState::unknown;
  return how == Combine::all ? HealthState::up : HealthState::down;
}

std::string_view to_string(HealthState state) {
  switch (state) {
    case HealthState::unknown:
      return "unknown";
    case HealthState::up:
      return "up";
    case HealthState::down:
      return "down";
  }
  return "?";
}

}  // namespace checkers
