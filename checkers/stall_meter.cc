#include "checkers/stall_meter.h"

namespace checkers {
namespace {

constexpr net::Duration look_interval = std::chrono::milliseconds(50);

/// A gap between two looks at the clock that is longer than this was a stall.
constexpr net::Duration stall = 2 * look_interval;

}  // namespace

void StallMeter::watch() {
  watched_ = true;
  if (timer_ != 0) return;
  last_look_ = loop_.now();
  look();
}

void StallMeter::look() {
  const auto now = loop_.now();
  if (const auto gap = now - last_look_; timer_ != 0 && gap > stall) lost_ += gap - look_interval;
  last_look_ = now;
  if (timer_ != 0 || !watched_) return;
  timer_ = loop_.after(look_interval, [this] {
    // The timer that has just fired still counts as running, or its own lateness would go unseen.
    look();
    timer_ = 0;
    look();
  });
}

}  // namespace checkers
