#pragma once

#include <functional>

#include "config/cluster.h"

namespace cluster_sim {

/// A number below its argument, drawn anew each time.
using Below = std::function<std::size_t(std::size_t)>;

/// A cluster of one to three directors with a group of two virtual routers and two services.
[[nodiscard]] config::Cluster random_shop(const Below& below);

/// The same with another weight, a server more or a server less, as somebody edits it.
[[nodiscard]] config::Cluster edited(config::Cluster cluster, const Below& below);

}  // namespace cluster_sim
