#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/load.h"

namespace director {

/// What directord would change if it started on this host with that cluster file, where none runs: compared with the
/// kernel's table, or with an empty one where that cannot be read; "against" says which. In the form of POST /v1/plan.
/// Looks only at services that the file names, and changes nothing. Error: what is wrong in the file.
[[nodiscard]] std::expected<nlohmann::ordered_json, config::Refusal> plan_offline(const std::string& file);

}  // namespace director
