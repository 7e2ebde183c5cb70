#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "director/node_names.h"
#include "net/time.h"
#include "vrrp/status.h"

namespace director {

/// A virtual router as GET /v1/vrrp and /v1/status show it; `names` are the other nodes'.
[[nodiscard]] nlohmann::ordered_json vrrp_status(const vrrp::Status& router, const NodeNames& names, net::Instant now);

/// What an operator must mend about it, each a sentence that begins with "vrrp NAME: ".
[[nodiscard]] std::vector<std::string> vrrp_problems(const vrrp::Status& router, const NodeNames& names,
                                                     net::Instant now);

}  // namespace director
