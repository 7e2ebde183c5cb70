#pragma once

#include <vector>

#include "checkers/health.h"

/// What is true now of one service, as far as the plan needs to know it.
namespace director {

struct ServerSituation {
  checkers::State health = checkers::State::unknown;  ///< of all its checks together; up where it has none
  bool drained = false;                               ///< the operator's word
};

struct ServiceSituation {
  std::vector<ServerSituation> servers;  ///< in the cluster file's order
};

/// All checks of a server as one: down as soon as one is, up when all are, else unknown. No checks: up.
[[nodiscard]] checkers::State all_of(const std::vector<checkers::State>& checks);

}  // namespace director
