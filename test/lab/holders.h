#pragma once

#include <map>
#include <mutex>
#include <thread>

#include "net/address.h"
#include "net/time.h"
#include "test/lab/pair.h"

namespace lab {

/// Looks every few milliseconds who of a pair holds the floating addresses: for how long both held one at a time.
class Holders {
 public:
  explicit Holders(const Pair& pair);

  struct Span {
    net::Instant begin, end;
  };

  /// The longest time for which both directors held an address, by address; an empty one if they never did.
  [[nodiscard]] std::map<net::Address, Span> longest() const;

 private:
  void watch(const std::stop_token& stop, const Pair& pair);

  mutable std::mutex mutex_;
  std::map<net::Address, Span> longest_;
  std::jthread thread_;
};

}  // namespace lab
