#include "net/virtual_clock.h"

namespace net {

int VirtualClock::wait(int epoll, std::span<epoll_event> ready, Instant) {
  ready_ = epoll_wait(epoll, ready.data(), static_cast<int>(ready.size()), 0);
  return ready_;
}

void VirtualClock::advance_to(Instant then) {
  if (then <= now_) return;
  wall_ += std::chrono::duration_cast<WallTime::duration>(then - now_);
  now_ = then;
}

}  // namespace net
