#pragma once

#include <optional>

#include "net/clock.h"

namespace director {

/// Times of the clock on the wall for what is to end at one of them: when somebody sets that clock, this one goes on
/// evenly, so that nothing ends early or late.
class DeadlineClock {
 public:
  /// `clock` must outlive this.
  explicit DeadlineClock(const net::Clock& clock) : clock_(clock), offset_(offset()) {}

  [[nodiscard]] net::WallTime now() const { return net::WallTime(since_boot() + offset_); }

  /// Takes over what the clock on the wall says, if that is off by `least` or more, and returns by how much: whoever
  /// keeps times moves them along, so that all have as much time left as before.
  [[nodiscard]] std::optional<net::WallTime::duration> follow(net::WallTime::duration least) {
    const auto step = offset() - offset_;
    if (abs(step) < least) return std::nullopt;
    offset_ += step;
    return step;
  }

 private:
  [[nodiscard]] net::WallTime::duration since_boot() const {
    return std::chrono::duration_cast<net::WallTime::duration>(clock_.now().time_since_epoch());
  }
  [[nodiscard]] net::WallTime::duration offset() const { return clock_.wall().time_since_epoch() - since_boot(); }

  const net::Clock& clock_;
  net::WallTime::duration offset_;
};

}  // namespace director
