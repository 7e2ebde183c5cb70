#pragma once

#include <optional>
#include <span>
#include <vector>

#include "checkers/health.h"
#include "net/time.h"

/// What is true now of one service, as far as the plan needs to know it.
namespace director {

/// What the operator wants of a server.
enum class AdminState : std::uint8_t {
  enabled,
  drained,   ///< no new connections
  disabled,  ///< out of the table: the drain's time is up
};

struct ObservedServer {
  checkers::HealthState health = checkers::HealthState::unknown;  ///< of all its checks together; up where it has none
  net::Instant since;                                             ///< when `health` began
  checkers::Advice advice;                                        ///< what its agent, script or file asks for
  AdminState admin_state = AdminState::enabled;
  std::optional<std::uint32_t> weight;          ///< the operator's, instead of the file's
  std::optional<net::Instant> slow_start_from;  ///< came up then, without traffic before: slow start counts from it
};

struct ObservedService {
  std::vector<ObservedServer> servers;  ///< in the order of config::Service::servers
  bool quorum = true;                   ///< as the last plan left it
};

/// What each check of a server says: its state, since when, and its advice.
struct HealthSummary {
  checkers::HealthState state = checkers::HealthState::unknown;
  net::Instant since;
  checkers::Advice advice;
};

/// The checks of a server as one. Of several administrative states the most restrictive holds, of several weights the
/// smaller (a percentage is taken of `weight`). It is down since the first check that is, and up since the last came
/// up.
[[nodiscard]] HealthSummary aggregate(std::span<const HealthSummary> checks, checkers::Combine combine,
                                      std::uint32_t weight);

/// The weight in the file as the advice alters it: 0..65535.
[[nodiscard]] std::uint32_t advised(const checkers::Advice& advice, std::uint32_t weight);

}  // namespace director
