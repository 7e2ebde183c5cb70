#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace director {

/// The "nodes" of an answer, a line each: "node lb2: same: the same cluster file and program; heard 300ms ago".
[[nodiscard]] std::string nodes_text(const nlohmann::json& answer);

}  // namespace director
