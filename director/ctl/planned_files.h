#pragma once

#include <expected>
#include <string>

#include "config/load.h"

namespace director {

/// The body of POST /v1/plan that sends a cluster file and those that it includes; without a `file`, which is else
/// absolute, an empty one: directord's own is planned. Error: what is wrong in the file.
[[nodiscard]] std::expected<std::string, config::Refusal> planned_files(const std::string& file);

}  // namespace director
