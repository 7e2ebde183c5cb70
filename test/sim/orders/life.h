#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "test/sim/orders/mutation.h"

namespace order_sim {

struct Outcome {
  std::optional<std::string> broken{};  ///< the rule that was
  std::string story;
  std::map<std::string, int> befell{};  ///< how often
};

/// One life of a cluster's orders: 2 to 5 directors that come and go, connections that are cut in one place or many,
/// clocks that differ, and operators. From time to time there is peace: who can reach each other must agree by then.
[[nodiscard]] Outcome live(std::uint64_t seed, Mutation mutation);

}  // namespace order_sim
