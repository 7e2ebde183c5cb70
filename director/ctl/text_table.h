#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

/// What the texts of directorctl are made of.
namespace director {

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell, two spaces apart; the last one ragged. The first row is the heading.
[[nodiscard]] std::string table(const std::vector<Row>& rows);

/// A value as part of a line, for a terminal (net::printable): a string as it is, anything else as JSON.
[[nodiscard]] std::string word(const nlohmann::json& value);

/// A member as part of a line: a word, or words joined by commas where it is a list; "-" where it is missing.
[[nodiscard]] std::string cell(const nlohmann::json& object, const char* name);

/// A member that is text of several lines, each printable; "-" where it is missing.
[[nodiscard]] std::string lines(const nlohmann::json& object, const char* name);

/// A member that counts milliseconds, with a unit: "300ms"; "-" where it is missing.
[[nodiscard]] std::string milliseconds(const nlohmann::json& object, const char* name);

/// A member that is a time, as net::timestamp() has it, with its distance from now; as it is where it is no time.
[[nodiscard]] std::string time_cell(const nlohmann::json& object, const char* name);

/// A member that is a list; an empty one where it is missing or something else.
[[nodiscard]] const nlohmann::json& list(const nlohmann::json& object, const char* name);

/// What a virtual router is: its "role", or its "state" where an older daemon has no "role".
[[nodiscard]] std::string role(const nlohmann::json& router);

}  // namespace director
