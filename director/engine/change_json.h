#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "config/yaml/diagnostics.h"
#include "director/engine/change.h"

namespace director {

/// A change as POST /v1/plan shows it, what is changed key by key in "changes"; `leaving` are the connections of what
/// goes, `warnings` the file's.
[[nodiscard]] nlohmann::ordered_json to_json(const Change& change, nlohmann::ordered_json leaving,
                                             const std::vector<config::Diagnostic>& warnings);

/// Findings in a file, each with its "file", "line", "column" and whole "text".
[[nodiscard]] nlohmann::ordered_json to_json(const std::vector<config::Diagnostic>& found);

/// One of change.leaving: where it is called, and its connections; null: there is nothing of it.
[[nodiscard]] nlohmann::ordered_json leaving_json(const std::string& server, const ipvs::DestinationStatus* held);

}  // namespace director
