#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace director {

/// The answer to GET /v1/vrrp for people; what is missing in it is left out.
[[nodiscard]] std::string vrrp_text(const nlohmann::json& answer);

/// The virtual routers of the same answer, and what a failover of each does, for whoever named none.
[[nodiscard]] std::string failover_text(const nlohmann::json& answer);

}  // namespace director
