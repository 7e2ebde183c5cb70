#pragma once

#include <cstdint>
#include <set>

#include "checkers/result.h"
#include "checkers/spec.h"
#include "net/time.h"

/// Which results of the probes `via: vip` to one virtual address count around the moment at which the
/// address comes or goes. Pure.
///
/// Probes that were in flight then, or begin within `settle`, do not count when they fail. When the address has
/// arrived, the path is on probation: if one of the checks that were up passes, the path works here, and failures count
/// from then on; if each fails, and none passes, it is more likely that this host drops the answers than that all
/// servers failed with the other director, and their health is kept until one passes.
namespace director {

struct PathProbation {
  enum class State : std::uint8_t {
    settled,  ///< failures count
    testing,  ///< the address has arrived, and no check has passed yet
    broken,   ///< all checks that were up have failed
  };
  static constexpr net::Duration settle = std::chrono::seconds(1);

  State state = State::settled;
  net::Instant changed{};             ///< when the address last came or went
  net::Instant count_from{};          ///< failures of probes that began earlier do not count
  std::set<checkers::Key> awaited{};  ///< while testing: checks that were up and have not failed since
};

/// The address has come (`here`) or gone; `up` are the checks of it that are up.
void address_changed(PathProbation& probation, bool here, std::set<checkers::Key> up, net::Instant now);

enum class ProbationOutcome : std::uint8_t {
  none,
  works,   ///< the path was in doubt, and is not any more
  broken,  ///< it is broken now
};

/// A probe of `key` that `began` then has ended, and `passed` or failed. One that could not be run is not told.
ProbationOutcome record_result(PathProbation& probation, const checkers::Key& key, bool passed, net::Instant began,
                               net::Instant now);

/// Until when a probe must have begun for its failure not to count.
[[nodiscard]] net::Instant suppress_until(const PathProbation& probation);

}  // namespace director
