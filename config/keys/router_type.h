#pragma once

#include "config/cluster.h"
#include "config/schema/type.h"

namespace config {

/// One name for every node, or a map with a name for each; `one` is the type of a name.
Type<std::map<std::string, std::string>> interfaces(Type<std::string> one);

/// In the map of interfaces() while reading: the one of every node, since the nodes may follow later in the file.
inline constexpr auto every_node = "";

/// An entry of `vrrp`.
Type<VirtualRouter> virtual_router_type();

}  // namespace config
