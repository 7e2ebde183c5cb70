#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "test/sim/cluster/mutation.h"

namespace cluster_sim {

/// What came of one life.
struct Outcome {
  std::optional<std::string> broken{};  ///< the rule that was, and how
  std::string story{};                  ///< a line for each thing that happened, with its time
  std::map<std::string, int> befell{};  ///< how often each kind of thing was done to it, and each rule was about it
};

/// One cluster's life: a minute of faults, operators and edits, chosen by the seed, then peace. With `trace` the story
/// is printed as it happens.
[[nodiscard]] Outcome live(std::uint64_t seed, bool trace, Mutation mutation = Mutation::none);

}  // namespace cluster_sim
