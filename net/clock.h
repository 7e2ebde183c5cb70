#pragma once

#include <sys/epoll.h>

#include <span>

#include "net/time.h"

namespace net {

/// The times that a loop and all who live on it go by, and its wait between two turns. A seam: where tests put a clock
/// of their own, hours pass in a moment (net/virtual_clock).
class Clock {
 public:
  virtual ~Clock() = default;

  /// CLOCK_MONOTONIC: never goes back.
  [[nodiscard]] virtual Instant now() const = 0;

  /// CLOCK_REALTIME, what people and files read: somebody may set it.
  [[nodiscard]] virtual WallTime wall() const = 0;

  /// Waits until a descriptor of `epoll` is ready, or until `until`, which may have passed. As epoll_wait(2): how many
  /// are in `ready`, or -1 with errno.
  virtual int wait(int epoll, std::span<epoll_event> ready, Instant until) = 0;
};

/// The host's own.
[[nodiscard]] Clock& host_clock();

}  // namespace net
