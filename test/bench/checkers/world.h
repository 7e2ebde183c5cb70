#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "net/endpoint.h"

/// The little world a benchmark lives in: a network namespace of its own, and the servers to be checked.
namespace bench {

/// Moves the process into a new network namespace with loopback up; ends the process with a sentence where it cannot.
void enter_namespace();

/// The n-th of up to four million targets: every address of 127.0.0.0/8 is this machine.
[[nodiscard]] net::Endpoint target(std::uint32_t n);

/// A process that is all the servers at once: accepts on every loopback address, answers HTTP requests with 200.
class Servers {
 public:
  Servers();
  ~Servers();
  Servers(const Servers&) = delete;
  Servers& operator=(const Servers&) = delete;

  [[nodiscard]] std::uint64_t accepted() const { return shared_->accepted; }

  /// All of them die: from now on their port refuses. Returns once it does.
  void kill();

 private:
  struct Shared {
    std::atomic<std::uint64_t> accepted;
    std::atomic<bool> ready;
    std::atomic<bool> closed;
  };
  [[noreturn]] void serve();

  Shared* shared_;
  pid_t pid_;
};

/// User and system time of this process so far, in seconds.
[[nodiscard]] double own_cpu();

/// The same of another process, in clock ticks of 10 ms; 0 if there is none.
[[nodiscard]] double cpu_of(pid_t pid);

/// What a process holds in memory, in bytes (VmRSS); 0 if there is none.
[[nodiscard]] double memory_of(pid_t pid);

}  // namespace bench
