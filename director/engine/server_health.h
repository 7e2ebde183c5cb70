#pragma once

#include <map>
#include <optional>

#include "checkers/health.h"
#include "net/check.h"
#include "net/endpoint.h"
#include "net/time.h"

namespace director {

/// What all checks of a server say together.
struct ServerHealth {
  checkers::HealthState state = checkers::HealthState::unknown;  ///< up where it has no checks
  net::Instant since;                                            ///< when `state` began
  checkers::Advice advice;                                       ///< what its agent, script or file asks for
  std::optional<net::Instant> slow_start_from;  ///< came up then, without traffic before: slow start counts from it
};

/// Of one service.
using ServersHealth = std::map<net::Endpoint, ServerHealth>;

/// Of a server of that service.
[[nodiscard]] inline const ServerHealth& health_of(const ServersHealth& servers, const net::Endpoint& server) {
  return net::must_find(servers, server, "the health monitor knows each server of the cluster file");
}

}  // namespace director
