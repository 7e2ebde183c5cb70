#pragma once

#include "config/cluster.h"
#include "config/schema/type.h"

namespace config {

/// Each member of `services`. What a service leaves out and another key gives (its servers' port, a mark's family) is
/// still open after reading: complete() of read.cc fills it in.
Object<Service> service_object();

/// Each member of a service's `servers`.
Object<Server> server_object();

}  // namespace config
