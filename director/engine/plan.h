#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "config/cluster.h"
#include "director/engine/drains.h"
#include "director/engine/observed_state.h"
#include "ipvs/types.h"

namespace director {

/// What the kernel should hold for one service, and what else follows from the observed state.
struct Plan {
  ipvs::ServiceEntry entry;
  bool quorum = true;          ///< whether enough servers are in service
  std::size_t in_service = 0;  ///< servers that are in service, and of how many: fallbacks do not count
  std::size_t servers = 0;
  bool fallback_in_use = false;  ///< whether the fallbacks take the new connections instead of the servers
  std::size_t panicking = 0;     ///< failed servers that are kept in, since health may not take more away
  std::map<ipvs::DestinationKey, DrainCause>
      drained{};                          ///< that stay with weight 0 for as long as their connections live
  std::optional<net::Instant> replan_at;  ///< when a slow start's next step is due: plan again then
};

/// Why the operator or its agent keeps a server out, whatever its health; nothing: neither does.
[[nodiscard]] std::optional<DrainCause> excluded_by(const ObservedServer& server);

/// Pure, and the only place that decides what the table holds.
///
/// `actual` is what the kernel holds for the service now, empty if nothing: a server without a check result yet keeps
/// the weight it has there, so that a restarted director changes nothing before it knows better, and gets no traffic if
/// it is not there. A failed server keeps its place with weight 0 and its connections live on, unless the service says
/// `remove`. The fallbacks take all new connections while quorum is lost, as long as one of them is up or no server is
/// in; they wait with weight 0 otherwise, since deleting them would cut the connections they still serve.
[[nodiscard]] Plan plan(const config::Service& service, const ObservedService& observed,
                        const ipvs::ServiceEntry& actual, net::Instant now);

}  // namespace director
