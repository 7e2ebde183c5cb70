#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/cluster.h"
#include "director/engine/observed_state.h"

namespace director {

/// Who or what decided the weight that a server has in the table, as status shows it:
///
///   "file"        the cluster file             "operator"    `weight`, `drain` or `disable`
///   "agent"       its agent, script or file    "slow start"  it rises still
///   "check"       it failed, or has no check result yet
///   "fallback"    a fallback waits, or the servers do while it is in use
///
/// `effective` is that weight. Pure.
[[nodiscard]] std::string_view weight_origin(const config::Service& service, const ObservedService& observed,
                                             std::size_t server, std::uint32_t effective, bool fallback_in_use);

}  // namespace director
