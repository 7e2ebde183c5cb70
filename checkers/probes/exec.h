#pragma once

#include <optional>
#include <string>

#include "checkers/probe.h"
#include "checkers/probes/launch.h"

namespace checkers {

/// An exec check made ready.
struct ExecPlan {
  Exec spec;
  std::optional<Program::User> user;  ///< whom to become; nothing where this process is not root

  /// An error names a user that does not exist. Asks the name service, which may block: once, at a reload.
  [[nodiscard]] static net::Result<ExecPlan> prepare(const Exec& spec);
};

/// Starts the program for `target`, in a thread. `plan` must outlive the run. Whatever ends the run kills the process
/// group, and waits for nothing: `loop` reaps the program when it has ended, or the thread one that was still to start.
/// While several killed runs for `target` have not ended, no further one is started.
[[nodiscard]] StartedProbe start_exec(net::Loop& loop, const ExecPlan& plan, const net::Endpoint& target,
                                      ProbeRun::OnDone on_done);

/// What an exit status (as from waitid: code and status) means, with the first line the program wrote.
[[nodiscard]] Result result_of_exit(std::string_view doing, int code, int status, bool weight, std::string_view output);

}  // namespace checkers
