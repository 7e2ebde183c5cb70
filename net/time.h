#pragma once

#include <chrono>
#include <string>

namespace net {

/// A time of CLOCK_MONOTONIC. Pure cores take one as an argument; shells take the loop's, who reads its clock once a
/// turn (net/clock).
using Instant = std::chrono::steady_clock::time_point;
using Duration = Instant::duration;

/// What people and files read: the clock on the wall.
using WallTime = std::chrono::system_clock::time_point;

/// For who has no loop: this host's clock.
[[nodiscard]] inline Instant monotonic_now() { return std::chrono::steady_clock::now(); }

/// A duration as the cluster file writes it, in the largest unit that is exact: "250ms", "2s", "5m". Below a
/// millisecond it is rounded up to one, except zero: "0s".
[[nodiscard]] std::string to_string(Duration duration);

}  // namespace net
