#pragma once

#include "net/clock.h"

namespace net {

/// A clock that stands still until it is told to go on. A loop that goes by it never sleeps: its wait ends at once,
/// with the descriptors that are ready. Whoever turns the loops decides how far time goes between their turns
/// (Loop::next_due).
class VirtualClock : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] WallTime wall() const override { return wall_; }
  int wait(int epoll, std::span<epoll_event> ready, Instant until) override;

  /// How many descriptors were ready when a loop last looked.
  [[nodiscard]] int ready() const { return ready_; }

  /// Time passes. Times that have passed already are no error, and change nothing.
  void advance_to(Instant then);

  /// Sets the wall clock, which goes on from there.
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  int ready_ = 0;
  Instant now_{std::chrono::hours(1)};             // not 0, which some take for never
  WallTime wall_{std::chrono::hours(24 * 20000)};  // 2024-10-04T00:00:00Z
};

}  // namespace net
