#pragma once

#include "config/cluster.h"
#include "config/schema/type.h"

namespace config {

/// One item of a virtual router's `addresses`: ADDRESS/LENGTH, or a map with that and more.
Type<vrrp::VirtualAddress> virtual_address();

/// One item of its `routes`. The default route is of IPv4 until complete_routes() has seen the addresses.
Type<VirtualRoute> virtual_route();

/// The default route is of the family that its virtual router has.
void complete_routes(VirtualRouter& router);

}  // namespace config
