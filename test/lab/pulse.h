#pragma once

#include <mutex>
#include <thread>
#include <vector>

#include "net/time.h"

namespace lab {

/// Notices when the lab as a whole stands still because the machine below it is busy elsewhere, so that a time measured
/// here can be told from a time lost there. It is a thread of real-time priority that wakes every 2 ms: within the lab
/// nothing can delay it, however busy the programs under test are.
class Pulse {
 public:
  Pulse();

  /// How long the lab stood still between two moments, all together. Zero on a quiet machine.
  [[nodiscard]] net::Duration stood_still(net::Instant begin, net::Instant end) const;

 private:
  struct Stall {
    net::Instant begin, end;
  };

  void beat(const std::stop_token& stop);

  mutable std::mutex mutex_;
  std::vector<Stall> stalls_;
  std::jthread thread_;
};

}  // namespace lab
