#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/background.h"
#include "net/error.h"
#include "net/loop.h"

namespace director {

/// A newer directord takes this one's place in the same process, as exec(2) does it: it keeps the pid, and finds the
/// rules, the leases of the virtual addresses and the state file as after a restart. Nothing is handed over and nothing
/// is taken down between.
struct Replacement {
  std::filesystem::path program;       ///< where it lies now: absolute
  std::vector<std::string> arguments;  ///< of this one, its name first
  std::chrono::milliseconds patience{10'000};

  /// Runs the program with `--check` and this one's arguments: whether it starts at all, and takes the cluster file. By
  /// whose child it is, the program sees that it is to replace this one, and tries what a start needs of the host too.
  /// Blocks for `patience` at most, and ends what runs then. Error: what it said.
  [[nodiscard]] net::Result<> check() const;

  /// Returns only if it fails.
  [[nodiscard]] net::Error exec() const;
};

/// Where the program called `name` lies: the file that runs, under the name it had when it was started.
[[nodiscard]] std::filesystem::path own_program(const std::string& name);

/// Replaces this directord when asked.
class Replacer {
 public:
  using Done = std::move_only_function<void(net::Result<>)>;

  /// Calls its argument when this one may end at once.
  using PrepareExec = std::function<void(std::function<void()> then)>;

  /// `prepare_exec` is called right before this one ends. Error: no descriptors left.
  static net::Result<std::unique_ptr<Replacer>> create(net::Loop& loop, Replacement replacement,
                                                       PrepareExec prepare_exec);
  ~Replacer();
  Replacer(const Replacer&) = delete;
  Replacer& operator=(const Replacer&) = delete;

  /// Checks the new one first; if that passes, `done` is called, and shortly after the new one replaces this process.
  void replace(Done done);

 private:
  Replacer(net::Loop& loop, Replacement replacement, PrepareExec prepare_exec,
           std::unique_ptr<net::Background> background);

  net::Loop& loop_;
  Replacement replacement_;
  PrepareExec prepare_exec_;
  std::unique_ptr<net::Background> background_;
  net::Loop::Id timer_ = 0;
};

}  // namespace director
