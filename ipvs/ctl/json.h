#pragma once

#include <string>
#include <vector>

#include "ipvs/ctl/connections.h"
#include "ipvs/types.h"

/// The listings as JSON: numbers are exact, addresses numeric, and what is listed is always complete. docs/ipvsctl.8
/// names the members.
namespace ipvs {

/// A service as one JSON object, without a newline.
[[nodiscard]] std::string to_json(const ServiceRow& service, const std::vector<DestinationRow>& destinations);

[[nodiscard]] std::string to_json(const Connection& connection);
[[nodiscard]] std::string to_json(const Daemon& daemon);
[[nodiscard]] std::string to_json(const Timeouts& timeouts);
[[nodiscard]] std::string to_json(const Info& info);

/// A string with its quotes, escaped.
[[nodiscard]] std::string json_string(const std::string& text);

}  // namespace ipvs
