#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "net/time.h"
#include "test/lab/topology.h"

namespace lab {

/// A program that runs on a host, under the host's name, as the leader of a process group. It and its group are killed
/// when this object ends. Made by the harness's main thread only: the program dies with the thread that made it.
class Process {
 public:
  /// Standard output and error are appended to `log`. argv[0] is looked for in PATH.
  Process(const Host& host, std::vector<std::string> argv, std::filesystem::path log);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  /// To the program alone.
  void signal(int number) const;
  /// To the program and all its children: what a power cut does to a daemon of several processes.
  void signal_group(int number) const;

  /// Of all its threads, as systemd's `Nice=`.
  void set_nice(int value) const;

  /// Its exit status (128 + signal where one killed it), or nothing if it still runs after `limit`.
  std::optional<int> wait(net::Duration limit);

  [[nodiscard]] const std::filesystem::path& log() const { return log_; }

 private:
  pid_t pid_ = -1;
  std::optional<int> status_;
  std::filesystem::path log_;
};

struct Output {
  int status = 0;
  std::string text;  ///< of both streams
};

/// Runs a program on a host to its end. After `limit` it is killed, and its status is 137.
Output run(const Host& host, std::vector<std::string> argv, net::Duration limit = std::chrono::seconds(10));

void sleep_for(net::Duration duration);

/// Where the project's programs lie: beside the running one.
std::filesystem::path programs_folder();

/// Asks `holds` every 2 ms: how long it took to hold, or nothing if it did not within `limit`.
template <class Condition>
std::optional<net::Duration> wait_until(Condition holds, net::Duration limit) {
  const auto begin = net::monotonic_now();
  for (;;) {
    const bool held = holds();
    const auto elapsed = net::monotonic_now() - begin;
    if (held) return elapsed;
    if (elapsed > limit) return {};
    sleep_for(std::chrono::milliseconds(2));
  }
}

}  // namespace lab
