#pragma once

#include <string>

#include "config/cluster.h"

namespace director {

/// The polkit rule (JavaScript, for /etc/polkit-1/rules.d) that lets the user `directord` start and stop the file's
/// resources, and nothing else. Empty where the file has none.
[[nodiscard]] std::string polkit_rule(const config::Cluster& cluster);

}  // namespace director
