#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace director {

/// What POST /v1/reload and /v1/plan answer, for people: a line for each thing that differs, "+" added, "~" changed,
/// with each key's two values, "-" removed with the connections it still has.
[[nodiscard]] std::string change_text(const nlohmann::json& change);

/// GET /v1/events: a line for each.
[[nodiscard]] std::string events_text(const nlohmann::json& events);

}  // namespace director
