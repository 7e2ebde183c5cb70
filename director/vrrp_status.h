#pragma once

#include <nlohmann/json_fwd.hpp>

#include "net/time.h"
#include "vrrp/status.h"

namespace director {

/// A virtual router as GET /v1/vrrp and /v1/status show it.
[[nodiscard]] nlohmann::ordered_json vrrp_status(const vrrp::Status& router, net::Instant now);

}  // namespace director
