#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace director {

/// The answer to GET /v1/status as tables for people. What is missing in it is left out, never an error: the daemon may
/// be another version's.
[[nodiscard]] std::string status_text(const nlohmann::json& status);

/// The same answer as one table of the services, or of the servers.
[[nodiscard]] std::string services_text(const nlohmann::json& status);
[[nodiscard]] std::string servers_text(const nlohmann::json& status);

}  // namespace director
