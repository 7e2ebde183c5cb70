#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "test/lab/topology.h"

namespace lab {

/// A small HTTP/1.1 server as a process of its own on a host, on every address of it: `/health` answers 200, `/slow/N`
/// trickles 20 kB a second for N seconds, every other path answers with the host's name.
class WebServer {
 public:
  /// Requests that have arrived since the beginning, over all restarts.
  struct Counters {
    std::atomic<std::uint64_t> pages, health, downloads;
  };

  /// Starts it, and returns when it listens.
  explicit WebServer(const Host& host, std::uint16_t port = 80);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// The process dies by SIGKILL: its connections are reset, its port is closed.
  void kill();
  void restart();

  [[nodiscard]] const Counters& counters() const { return *counters_; }

  static constexpr std::size_t slow_bytes_per_second = 20 * 1000;

 private:
  void start();

  const Host& host_;
  std::uint16_t port_;
  pid_t pid_ = -1;
  Counters* counters_;  ///< in memory shared with the process
};

}  // namespace lab
