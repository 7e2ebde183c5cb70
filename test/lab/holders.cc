#include "test/lab/holders.h"

#include <optional>

#include "test/lab/process.h"

namespace lab {

constexpr auto interval = std::chrono::milliseconds(10);

Holders::Holders(const Pair& pair)
    : longest_{{pair.service.address, {}}, {pair.gateway, {}}},
      thread_([this, &pair](const std::stop_token& stop) { watch(stop, pair); }) {}

std::map<net::Address, Holders::Span> Holders::longest() const {
  const std::lock_guard lock(mutex_);
  return longest_;
}

void Holders::watch(const std::stop_token& stop, const Pair& pair) {
  std::map<net::Address, std::optional<net::Instant>> since;
  for (; !stop.stop_requested(); sleep_for(interval)) {
    const auto now = net::monotonic_now();
    const std::lock_guard lock(mutex_);
    for (auto& [address, span] : longest_) {
      auto& begin = since[address];
      if (!pair.lb1.host->holds(address) || !pair.lb2.host->holds(address)) {
        begin.reset();
        continue;
      }
      if (!begin) begin = now;
      if (now - *begin > span.end - span.begin) span = {.begin = *begin, .end = now};
    }
  }
}

}  // namespace lab
