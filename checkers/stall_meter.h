#pragma once

#include "net/loop.h"

namespace checkers {

/// How much time this process has lost: while it is watched, the clock is looked at every 50 ms, and a gap of more than
/// twice that was a stall (a freeze, or a long turn of the loop).
class StallMeter {
 public:
  /// `loop` must outlive this.
  explicit StallMeter(net::Loop& loop) : loop_(loop), last_look_(loop.now()) {}
  ~StallMeter() { loop_.cancel(timer_); }
  StallMeter(const StallMeter&) = delete;
  StallMeter& operator=(const StallMeter&) = delete;

  /// From now on it is watched, until unwatch().
  void watch();
  void unwatch() { watched_ = false; }

  /// Takes a look now, so that lost() is up to date.
  void look();

  /// Since it was made.
  [[nodiscard]] net::Duration lost() const { return lost_; }

 private:
  net::Loop& loop_;
  bool watched_ = false;
  net::Loop::Id timer_ = 0;
  net::Instant last_look_;
  net::Duration lost_{};
};

}  // namespace checkers
