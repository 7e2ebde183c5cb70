#include "director/engine/problems.h"

namespace director {

void Problems::note(const std::vector<Problem>& problems, net::WallTime now) {
  decltype(since_) next;
  for (const auto& problem : problems) next.emplace(std::pair(problem.kind, problem.subject), since(problem, now));
  since_ = std::move(next);
}

net::WallTime Problems::since(const Problem& problem, net::WallTime now) const {
  const auto found = since_.find({problem.kind, problem.subject});
  return found == since_.end() ? now : found->second;
}

}  // namespace director
