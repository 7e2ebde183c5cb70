#include "checkers/health.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checkers/text.h"

namespace checkers {

Change observe(Health& health, Result result, Thresholds limit, net::Instant now) {
  health.last_outcome = result.outcome;
  health.last = std::move(result.sentence);
  if (result.outcome == Outcome::not_run) return Change::none;
  if (result.advice.admin_state != Advice::AdminState::none) health.advice.admin_state = result.advice.admin_state;
  if (result.advice.weight) health.advice.weight = result.advice.weight;

  const bool passed = result.outcome == Outcome::passed;
  if (passed) health.last_good = now;
  const State seen = passed ? State::up : State::down;
  if (seen == health.state) {
    health.streak = 0;
    return Change::none;
  }
  const bool first_decides = health.state == State::unknown && (passed || !health.serving);
  const int needed = first_decides ? 1 : passed ? limit.rise : limit.fall;
  if (++health.streak < needed) return Change::pending;
  health.state = seen;
  health.since = now;
  health.serving = false;
  health.decided_by = std::exchange(health.streak, 0);
  return Change::changed;
}

std::string describe(const Health& health, Thresholds limit, net::Instant now, net::WallTime wall) {
  const auto since = wall - std::chrono::duration_cast<net::WallTime::duration>(now - health.since);
  auto text = fmt::format("{} since {}", to_string(health.state), net::timestamp_and_age(since, wall));
  if (health.streak > 0) {
    text += health.state == State::down ? fmt::format(", passing {} of {}", health.streak, limit.rise)
                                        : fmt::format(", failing {} of {}", health.streak, limit.fall);
  } else if (health.state == State::down) {
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

State combine(std::span<const State> states, Combine how) {
  if (states.empty()) return State::up;
  const auto has = [&](State state) { return std::ranges::find(states, state) != states.end(); };
  const auto decisive = how == Combine::all ? State::down : State::up;
  if (has(decisive)) return decisive;
  if (has(State::unknown)) return State::unknown;
  return how == Combine::all ? State::up : State::down;
}

std::string_view to_string(State state) {
  switch (state) {
    case State::unknown:
      return "unknown";
    case State::up:
      return "up";
    case State::down:
      return "down";
  }
  return "?";
}

}  // namespace checkers
