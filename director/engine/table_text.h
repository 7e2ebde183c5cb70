#pragma once

#include <span>
#include <string>
#include <vector>

#include "ipvs/op.h"

namespace director {

/// What was done to the kernel's table, as lines for the log: one for each op, or one with their numbers when there are
/// more than anybody reads (100), as at a start.
[[nodiscard]] std::vector<std::string> table_text(std::span<const ipvs::Op> done);

}  // namespace director
