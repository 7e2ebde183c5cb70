#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

/// The contract of the control API and of directorctl: what a released version answered, an other one answers too, with
/// more fields if it likes. A test asks today's programs what the old ones were asked when their answers were recorded.
namespace contract {

/// Answers in the order in which they were asked for: [{"asked": "GET /v1/status", "status": 200, "body": ...}, ...].
/// `status` is HTTP's, or a program's exit status.
[[nodiscard]] nlohmann::ordered_json load(const std::filesystem::path& file);
void save(const std::filesystem::path& file, const nlohmann::ordered_json& answers);

/// What the set-up's things are called: "web/web1", "front", "lb2". A sentence that named one names it still.
using Names = std::vector<std::string>;

/// What `today` breaks of `recorded`, a sentence each. Every recorded field must be there with the same type. Its value
/// must be the same too, unless its name says that it is a time, a counter or a sentence: a sentence may have other
/// words, but it must name the same things. Lists of objects are matched by the objects' names.
[[nodiscard]] std::vector<std::string> breaches(const nlohmann::ordered_json& recorded,
                                                const nlohmann::ordered_json& today, const Names& names);

/// `text` with each of `from` replaced: what differs from run to run, such as ports and paths.
[[nodiscard]] std::string scrub(std::string text, const std::vector<std::pair<std::string, std::string>>& replacements);

}  // namespace contract
