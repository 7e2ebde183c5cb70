#pragma once

#include <chrono>
#include <string>

namespace net {

/// CLOCK_MONOTONIC. Pure cores take an Instant as an argument; only the shells read the clock, once a turn of the loop.
using Clock = std::chrono::steady_clock;
using Instant = Clock::time_point;
using Duration = Clock::duration;

/// A duration as the cluster file writes it, in the largest unit that is exact: "250ms", "2s", "5m". Below a
/// millisecond it is rounded up to one, except zero: "0s".
[[nodiscard]] std::string to_string(Duration duration);

}  // namespace net
