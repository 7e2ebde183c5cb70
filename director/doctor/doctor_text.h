#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "director/doctor/finding.h"

namespace director {

/// A line each, "error: kernel: what is; to do: what to do", and one that counts them. `coloured` is for terminals.
[[nodiscard]] std::string findings_text(const std::vector<Finding>& findings, bool coloured);

[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<Finding>& findings);

[[nodiscard]] bool has_errors(const std::vector<Finding>& findings);

}  // namespace director
