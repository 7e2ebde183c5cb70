#pragma once

#include <vector>

#include "config/cluster.h"
#include "config/yaml/diagnostics.h"
#include "config/yaml/document.h"

namespace config {

/// Whether a cluster file has at most 100,000 services and at most 200,000 servers and fallbacks, each counted as often
/// as aliases give it to a service; an error where it has more. Ranges count as what they were written out to.
[[nodiscard]] bool has_bounded_size(const YamlNode& root, Diagnostics& diagnostics);
[[nodiscard]] bool has_bounded_size(const std::vector<Service>& services);

}  // namespace config
