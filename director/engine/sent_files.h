#pragma once

#include <expected>
#include <string>
#include <vector>

#include "config/yaml/diagnostics.h"
#include "director/engine/reloader.h"

namespace director {

/// The files in the body of POST /v1/plan, {"files": [{"name": "/...", "text": "..."}]}: the cluster file, and those
/// that it includes. Takes long for a large body. Error: it is something else.
[[nodiscard]] std::expected<std::vector<config::Source>, Refused> sent_files(const std::string& body);

}  // namespace director
