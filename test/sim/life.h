#pragma once

#include <cstdint>

#include "test/sim/world.h"

namespace sim {

/// Lives the life that `seed` means: some routers are made, suffer a while, and are then left in peace, where they must
/// settle on one master in time, stay with it, and hand over in time whatever happens next. Throws Violation.
void live(std::uint64_t seed, const Mutation& mutation, bool trace);

/// What the life of `seed` is about, in a line.
[[nodiscard]] std::string describe(std::uint64_t seed);

}  // namespace sim
