#include "director/engine/path_probation.h"

#include <algorithm>
#include <utility>

namespace director {

void address_changed(PathProbation& probation, bool here, std::set<checkers::Key> up, net::Instant now) {
  probation.changed = now;
  probation.count_from = now + PathProbation::settle;
  probation.state = here && !up.empty() ? PathProbation::State::testing : PathProbation::State::settled;
  probation.awaited = std::move(up);
}

ProbationOutcome record_result(PathProbation& probation, const checkers::Key& key, bool passed, net::Instant began,
                               net::Instant now) {
  if (probation.state == PathProbation::State::settled || began < probation.changed) return ProbationOutcome::none;
  if (passed) {
    probation.state = PathProbation::State::settled;
    probation.count_from = std::max(probation.count_from, now);
    probation.awaited.clear();
    return ProbationOutcome::works;
  }
  if (probation.state == PathProbation::State::broken || began < probation.count_from) return ProbationOutcome::none;
  probation.awaited.erase(key);
  if (!probation.awaited.empty()) return ProbationOutcome::none;
  probation.state = PathProbation::State::broken;
  return ProbationOutcome::broken;
}

net::Instant suppress_until(const PathProbation& probation) {
  return probation.state == PathProbation::State::settled ? probation.count_from : net::Instant::max();
}

}  // namespace director
