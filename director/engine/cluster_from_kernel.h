#pragma once

#include "config/cluster.h"
#include "ipvs/types.h"

namespace director {

/// What the kernel's table says of the services that `file` names, as a cluster that differs from the file in nothing
/// else: to compare() with it. Servers that the file does not name are called by their addresses. A weight of 0 is no
/// difference: it is how a server waits. Pure.
[[nodiscard]] config::Cluster cluster_from_kernel(const ipvs::Snapshot& table, const config::Cluster& file);

}  // namespace director
