#pragma once

#include "config/cluster.h"
#include "config/schema/type.h"

namespace config {

/// A unit's name, or a map with its `unit`.
[[nodiscard]] Type<Resource> resource();

}  // namespace config
