#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/endpoint.h"
#include "net/time.h"
#include "test/lab/pulse.h"
#include "test/lab/topology.h"

namespace lab {

/// Who answered how often.
struct Tally {
  std::map<std::string, int> by_server;
  int failed = 0;
};

/// `count` requests for "/", one after the other, each on a new connection, from a host.
Tally request(const Host& client, const net::Endpoint& service, int count);

/// A request for "/" on a new connection every 3 ms, whether or not the earlier ones have been answered, as long as
/// this object lives: what a service's users see while something happens to it. A request fails by a reset, or by
/// silence of 250 ms in which the lab did not stand still.
class Prober {
 public:
  Prober(const Host& client, const net::Endpoint& service);
  ~Prober();

  struct Outage {
    net::Duration longest{};  ///< between two successive answers; 3 ms when nothing happens
    net::Instant over{};      ///< when the longest ended
    int failed = 0;           ///< requests that were begun then and never answered
    int answered = 0;
  };

  /// What happened to the requests begun in [begin, end). Those still open are not counted: `end` is `limit` ago at the
  /// latest, for a truth that is whole.
  [[nodiscard]] Outage outage(net::Instant begin, net::Instant end) const;

  /// Answers in [begin, end) by server.
  [[nodiscard]] Tally tally(net::Instant begin, net::Instant end) const;

  /// Waits until every request of a time of `quiet` that began after this call was answered; false if that does not
  /// come `within`.
  [[nodiscard]] bool settle(net::Duration quiet, net::Duration within) const;

  static constexpr net::Duration interval = std::chrono::milliseconds(3);
  static constexpr net::Duration limit = std::chrono::milliseconds(250);

 private:
  struct Sample {
    net::Instant began, ended;
    std::string server;  ///< empty for a failure
  };
  class Run;

  void record(Sample sample);

  mutable std::mutex mutex_;
  std::vector<Sample> samples_;  ///< in the order of their ends
  Pulse pulse_;
  std::jthread thread_;
};

/// A download of `/slow/N` that runs by itself.
class Download {
 public:
  Download(const Host& client, const net::Endpoint& service, std::chrono::seconds length);

  /// Who serves it, once its first bytes are there; empty until then, and if it fails before.
  [[nodiscard]] std::string server() const;

  [[nodiscard]] bool ended() const { return ended_; }
  /// All bytes have come.
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  void run(const std::stop_token& stop, const net::Endpoint& service, std::chrono::seconds length);

  std::atomic<bool> ended_ = false, complete_ = false;
  mutable std::mutex mutex_;
  std::string server_;
  std::jthread thread_;
};

}  // namespace lab
