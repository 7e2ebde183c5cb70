#pragma once

#include "config/cluster.h"
#include "config/type.h"

namespace config {

/// Each member of `services`. What a service leaves out and another key gives (its servers' port, a mark's family) is
/// still open after reading: complete() of read.cc fills it in.
Type<Service> service_type();

}  // namespace config
