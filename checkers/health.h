#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "checkers/result.h"
#include "checkers/spec.h"
#include "net/time_text.h"

namespace checkers {

enum class HealthState : std::uint8_t {
  unknown,  ///< no result yet: gets no traffic
  up,       ///< passes
  down,     ///< fails
};

enum class HealthChange : std::uint8_t {
  none,     ///< the result agrees with the state
  pending,  ///< it disagrees, not yet often enough
  changed,  ///< the state is another one now
};

/// The health of one check, built from its results and nothing else: what an operator does with a server is not
/// health.
struct Health {
  HealthState state = HealthState::unknown;
  bool serving = false;                     ///< has traffic already: while unknown it takes `fall` failures to lose it
  int streak = 0;                           ///< consecutive results against `state`
  int decided_by = 0;                       ///< how many results in a row brought `state` about; 0 while unknown
  net::Instant since{};                     ///< when `state` began; for unknown, when the check was made
  std::optional<net::Instant> last_good{};  ///< when a probe last passed
  std::optional<net::Instant> not_run_since{};  ///< this host has been short of something for all probes since
  Advice advice{};                              ///< what was last asked for; each part holds until another is said
  Outcome last_outcome = Outcome::not_run;      ///< of the last probe
  std::string last{};                           ///< the sentence of the last probe; empty before the first
};

/// For how long this host's own shortage says nothing of a target.
inline constexpr net::Duration shortage_limit = std::chrono::seconds(60);

/// Takes one result into account. The first result decides, but for a failure of what serves already; from then on it
/// takes `rise` passes or `fall` failures in a row. A probe that was not_run is remembered for status and changes
/// nothing, not even the streak; where none could be run for shortage_limit, one counts as failed: nobody knows any
/// more.
HealthChange observe(Health& health, Result result, Thresholds limit, net::Instant now);

/// The state and its reasons as status shows them; `now` is `wall` on the clock on the wall:
/// "down since 2026-11-27T12:03:07Z (2 s ago), 3 of 3: connect 10.0.0.7:80: timed out after 1 s (last passed 42 s
/// ago)", "up since 2026-11-27T12:03:07Z (1 h ago), failing 1 of 3: ...".
[[nodiscard]] std::string describe(const Health& health, Thresholds limit, net::Instant now, net::WallTime wall);

/// What several checks of one server say together: for `all`, one that is down outweighs one that is unknown, and that
/// one outweighs up; for `any` the other way round. No checks at all are up.
[[nodiscard]] HealthState combine(std::span<const HealthState> states, Combine how);

/// "unknown", "up", "down".
[[nodiscard]] std::string_view to_string(HealthState state);

}  // namespace checkers
