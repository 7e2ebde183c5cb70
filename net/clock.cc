#include "net/clock.h"

#include <algorithm>

namespace net {

namespace {

class HostClock : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return monotonic_now(); }
  [[nodiscard]] WallTime wall() const override { return std::chrono::system_clock::now(); }

  int wait(int epoll, std::span<epoll_event> ready, Instant until) override {
    const auto left = std::max(until - now(), Duration::zero());
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), static_cast<int>(timeout));
  }
};

}  // namespace

Clock& host_clock() {
  static HostClock clock;
  return clock;
}

}  // namespace net
