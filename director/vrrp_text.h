#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace director {

/// The answer to GET /v1/vrrp for people; what is missing in it is left out.
[[nodiscard]] std::string vrrp_text(const nlohmann::json& answer);

}  // namespace director
