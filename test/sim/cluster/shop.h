#pragma once

#include <functional>

#include "config/cluster.h"

namespace cluster_sim {

/// A number below its argument, drawn anew each time.
using Below = std::function<std::size_t(std::size_t)>;

/// A service that no director's file names.
inline const ipvs::ServiceKey strangers_service{
    .protocol = ipvs::Protocol::tcp, .endpoint = net::Endpoint::parse("10.9.9.9:25").value(), .fwmark = 0};

/// What a director must reach to lead, where the file says so.
[[nodiscard]] const net::Endpoint& gateway();

/// Files of keys that sign: the cluster's, and one of somebody else.
[[nodiscard]] std::string keys_file();
[[nodiscard]] std::string other_keys_file();

/// A cluster of one to five directors with a group of two virtual routers, signed or not, and two services.
[[nodiscard]] config::Cluster random_shop(const Below& below);

/// The same with another weight, a server more or a server less, as somebody edits it.
[[nodiscard]] config::Cluster edited(config::Cluster cluster, const Below& below);

}  // namespace cluster_sim
