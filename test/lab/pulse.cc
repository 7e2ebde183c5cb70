#include "test/lab/pulse.h"

#include <pthread.h>

#include <algorithm>

#include "test/lab/process.h"

namespace lab {

using namespace std::chrono_literals;

namespace {

constexpr auto interval = 2ms;
constexpr auto tolerance = 1ms;  ///< timers in the lab are 0.1 ms late in the median, 0.7 ms at most

}  // namespace

Pulse::Pulse() : thread_([this](const std::stop_token& stop) { beat(stop); }) {
  const sched_param priority{.sched_priority = 50};
  pthread_setschedparam(thread_.native_handle(), SCHED_FIFO, &priority);
}

void Pulse::beat(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto due = net::monotonic_now() + interval;
    sleep_for(interval);
    const auto now = net::monotonic_now();
    if (now - due <= tolerance) continue;
    const std::lock_guard lock(mutex_);
    stalls_.push_back({.begin = due, .end = now});
  }
}

net::Duration Pulse::stood_still(net::Instant begin, net::Instant end) const {
  const std::lock_guard lock(mutex_);
  net::Duration sum{};
  for (const auto& stall : stalls_)
    sum += std::max(net::Duration{}, std::min(end, stall.end) - std::max(begin, stall.begin));
  return sum;
}

}  // namespace lab
