#pragma once

#include "checkers/probe.h"

namespace checkers {

/// Reads the file and is over at once: a local file answers when it is asked. A missing file, or an empty one, passes;
/// one above 4 KiB, or that cannot be read, could not be run.
[[nodiscard]] Result read_state_file(const File& spec);

}  // namespace checkers
