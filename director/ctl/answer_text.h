#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace director {

/// What an order is answered with: what was done, which directors have it, and the warning, a line for each.
[[nodiscard]] std::string answer_text(const nlohmann::json& answer);

}  // namespace director
