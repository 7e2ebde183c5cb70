#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "net/clock.h"

/// Times as people and other programs read them: everything that shows a time shows it in one of these two forms.
namespace net {

/// ISO 8601 (RFC 3339) in UTC with milliseconds: "2026-11-27T14:03:12.345Z". For machines, and where the order of what
/// happened in one second matters.
[[nodiscard]] std::string timestamp(WallTime at);

/// The same for people, with its distance from `now`: "2026-11-27T14:03:12Z (3 min ago)", "... (in 5 min)".
[[nodiscard]] std::string timestamp_and_age(WallTime at, WallTime now);

/// Reads timestamp(), with or without a fraction of a second; nothing if it is anything else.
[[nodiscard]] std::optional<WallTime> parse_timestamp(const std::string& text);

/// The wall-clock time of an Instant: the same each time that it is asked, until somebody sets that clock.
class WallClock {
 public:
  /// `clock` must outlive this.
  explicit WallClock(const Clock& clock) : clock_(clock) {}

  /// `turn` is the loop's time: the clocks are read once for all that is asked in one turn.
  [[nodiscard]] WallTime at(Instant then, Instant turn);

 private:
  const Clock& clock_;
  std::optional<Instant> read_in_;
  WallTime::duration offset_{};
};

}  // namespace net
