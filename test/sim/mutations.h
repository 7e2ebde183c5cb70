#pragma once

#include <vector>

#include "test/sim/world.h"

namespace sim {

/// Routers that each break one rule. The simulator must notice every one of them.
[[nodiscard]] std::vector<Mutation> mutations();

}  // namespace sim
