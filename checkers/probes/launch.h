#pragma once

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkers/probes/attempt.h"
#include "net/background.h"
#include "net/fd.h"

namespace checkers {

/// A program to be run by a check.
struct Program {
  struct User {
    uid_t uid;
    gid_t gid;
  };

  std::vector<std::string> arguments;  ///< the file to be run first
  std::vector<std::string> environment;
  std::optional<User> user{};  ///< whom to become
};

/// A process of ours that has not been waited for.
struct Process {
  pid_t pid = 0;
  net::Fd handle;  ///< a pidfd
};

/// Starts a program in a thread, since execve(2) waits for the file system that the program lies on. The program leads
/// a process group, has an empty input and writes both outputs to one descriptor.
class Launch {
 public:
  /// Told on the loop: the process, or the errno of what failed.
  using OnStarted = std::move_only_function<void(std::expected<Process, int>)>;

  /// `attempt` is held until the start has ended. Error: no descriptors left.
  static net::Result<std::unique_ptr<Launch>> begin(net::Loop& loop, Program program, net::Fd output,
                                                    std::shared_ptr<Attempt> attempt, OnStarted on_started);

  /// The process, if it has started and that was not told yet: whoever asked ends it. One that starts later is killed
  /// at once, and the thread waits for its end. The last call.
  std::optional<Process> give_up();

 private:
  struct Shared;
  Launch(std::shared_ptr<Shared> shared, std::unique_ptr<net::Background> thread)
      : shared_(std::move(shared)), thread_(std::move(thread)) {}

  std::shared_ptr<Shared> shared_;  ///< with the thread
  std::unique_ptr<net::Background> thread_;
};

/// Kills a process that leads a group, which may run as another user, and its group.
void kill_group(pid_t pid);

}  // namespace checkers
