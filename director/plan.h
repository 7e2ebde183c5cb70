#pragma once

#include <cstdint>

#include "config/cluster.h"
#include "director/situation.h"
#include "ipvs/types.h"

namespace director {

/// What the kernel should hold for one service. Pure, and the only place that decides it.
///
/// `actual` is what the kernel holds for the service now, empty if nothing: a server that no check has judged yet keeps
/// the weight it has there, so that a restarted director changes nothing before it knows better, and gets no traffic if
/// it is not there. A failed server keeps its place with weight 0 and its connections live on, unless the service says
/// `remove`. The fallback takes new connections exactly while no server does, and waits with weight 0 otherwise, since
/// deleting it would cut the connections it still serves.
[[nodiscard]] ipvs::ServiceEntry plan(const config::Service& service, const ServiceSituation& situation,
                                      const ipvs::ServiceEntry& actual);

}  // namespace director
