#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "director/engine/node_names.h"
#include "net/time_text.h"
#include "vrrp/status.h"

namespace director {

/// A virtual router as GET /v1/vrrp and /v1/status show it; `names` are the other nodes', and
/// `since` is router.since on the clock on the wall.
[[nodiscard]] nlohmann::ordered_json vrrp_status(const vrrp::Status& router, const NodeNames& names, net::Instant now,
                                                 net::WallTime since);

/// What it is for an operator: its state, or "fault" where it takes no part although it should.
[[nodiscard]] std::string role_of(const vrrp::Status& router);

/// What an operator must mend about it, each a sentence that begins with "vrrp NAME: ".
[[nodiscard]] std::vector<std::string> vrrp_problems(const vrrp::Status& router, const NodeNames& names,
                                                     net::Instant now);

}  // namespace director
