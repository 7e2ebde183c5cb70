#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

/// What the texts of directorctl are made of.
namespace director {

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell, two spaces apart; the last one ragged. The first row is the heading.
[[nodiscard]] std::string table(const std::vector<Row>& rows);

/// A member as text: strings as they are, lists joined by commas, anything else as JSON; "-" where it is missing.
[[nodiscard]] std::string cell(const nlohmann::json& object, const char* name);

/// A member that counts milliseconds, with a unit: "300ms"; "-" where it is missing.
[[nodiscard]] std::string milliseconds(const nlohmann::json& object, const char* name);

/// A member that is a time, as net::timestamp() has it, with its distance from now; as it is where it is no time.
[[nodiscard]] std::string time_cell(const nlohmann::json& object, const char* name);

/// A member that is a list; an empty one where it is missing or something else.
[[nodiscard]] const nlohmann::json& list(const nlohmann::json& object, const char* name);

/// What a virtual router is: its "role", or its "state" where an older daemon has no "role".
[[nodiscard]] std::string role(const nlohmann::json& router);

}  // namespace director
