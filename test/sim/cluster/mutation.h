#pragma once

#include <array>
#include <memory>

#include "ipvs/kernel.h"

namespace cluster_sim {

/// What can be wrong with a director's surroundings on purpose, to show that the rules notice a director that acts so.
enum class Mutation : std::uint8_t {
  none,
  keeps_servers,   ///< the kernel never hears that a server takes no new connections
  believes_all,    ///< every probe passes
  hears_nothing,   ///< no advertisement arrives
  stands_still,    ///< after its first minute a director does nothing, and nobody has stopped it
  takes_services,  ///< what a director removes takes the services of others along
};
inline constexpr std::array mutations = {Mutation::keeps_servers, Mutation::believes_all, Mutation::hears_nothing,
                                         Mutation::stands_still, Mutation::takes_services};
[[nodiscard]] const char* to_string(Mutation mutation);

/// `kernel` as a director with that mutation changes it; `kernel` must outlive it.
[[nodiscard]] std::unique_ptr<ipvs::Kernel> mutated(ipvs::Kernel& kernel, Mutation mutation);

}  // namespace cluster_sim
