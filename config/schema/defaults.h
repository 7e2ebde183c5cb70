#pragma once

#include "config/schema/shape.h"
#include "config/yaml/document.h"

namespace config {

/// Gives each service, server and check of the file's `root`, whose shape is `shape`, what it leaves out and `defaults`
/// has for its kind. Where a key excludes others (`check`, `checks`), having one of them is having all. A value is
/// taken as a whole, not mixed with the service's own. What is not a map is left alone: reading reports it.
void apply_defaults(YamlNode& root, const Shape& shape);

}  // namespace config
