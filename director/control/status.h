#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "config/cluster.h"
#include "director/engine/change.h"
#include "ipvs/types.h"
#include "net/error.h"

/// The status of an engine, as JSON. `table` is the kernel's, as it was read for this answer.
namespace director {

class Engine;

/// All of GET /v1/status, with the kernel's table as it is now.
[[nodiscard]] nlohmann::ordered_json status(const Engine& engine);

/// Its parts: all but `services`, and one of those.
[[nodiscard]] nlohmann::ordered_json status_but_services(const Engine& engine,
                                                         const net::Result<ipvs::Snapshot>& table);
[[nodiscard]] nlohmann::ordered_json service_status(const Engine& engine, const config::Service& service,
                                                    const net::Result<ipvs::Snapshot>& table);

/// GET /v1/vrrp.
[[nodiscard]] nlohmann::ordered_json vrrp_status(const Engine& engine);

/// GET /v1/events: those after number `since`.
[[nodiscard]] nlohmann::ordered_json events_status(const Engine& engine, std::uint64_t since = 0);

/// The connections, as the kernel counts them now, of the servers that a change removes.
[[nodiscard]] nlohmann::ordered_json connections_of(const Engine& engine, const Change& change);

}  // namespace director
