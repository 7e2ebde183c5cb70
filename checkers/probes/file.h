#pragma once

#include <functional>

#include "checkers/probe.h"

namespace checkers {

/// Reads the file. A missing file, or an empty one, passes; one above 4 KiB, or that cannot be read, could not be run.
/// Blocks where its file system hangs.
[[nodiscard]] Result read_state_file(const File& spec);

using ReadFile = std::function<Result(const File&)>;

/// The same in a thread, which calls `read`. Where the file system hangs, the deadline ends it as not to be run, and
/// while several earlier readings of the file have not ended, no further one begins.
[[nodiscard]] StartedProbe start_file(net::Loop& loop, const File& spec, ProbeRun::OnDone on_done,
                                      ReadFile read = read_state_file);

}  // namespace checkers
