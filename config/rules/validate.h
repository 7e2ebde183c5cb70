#pragma once

#include <functional>
#include <string>

#include "config/cluster.h"
#include "config/schema/origin.h"
#include "config/yaml/diagnostics.h"
#include "net/modules.h"

namespace config {

/// Finds contradictions between keys that are valid on their own: two services on one address, a timeout that is not
/// shorter than its interval, an unknown name. Looks at the file alone, never at this host. What was refused while
/// reading is left out, so that one mistake is one error.
void validate(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);

/// Where the file has a service's check with that index: under `check`, or in the list `checks`.
[[nodiscard]] Origin::Path check_path(const Origin& origin, const Service& service, std::size_t index);

/// Calls `visit` for each check of the file that is `wanted`, services' first, then trackers', with where the file has
/// it and whose it is: "service 'web'", "tracker 'uplink'".
void for_each_check(
    const Cluster& cluster, const Origin& origin, bool (*wanted)(const checkers::Spec& check),
    const std::function<void(const checkers::Spec& check, const Origin::Path& path, const std::string& owner)>& visit);

/// Where the file has a server's address. An only fallback may be an address without a name; its place is then that of
/// its key.
[[nodiscard]] Origin::Path address_path(const Service& service, const Server& server);

/// "server 'web1'"; a fallback that the file gives no name is "the fallback".
[[nodiscard]] std::string called(const Server& server);

/// Whether the priorities that a virtual router has of its own are as the file means them: none was refused, or is of
/// an unknown node.
[[nodiscard]] bool priorities_are_read(const Cluster& cluster, const VirtualRouter& router, const Origin& origin);

/// The parts of validate().
void validate_routers(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);
void validate_priorities(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);
void validate_resources(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);
void validate_addresses(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);
void validate_regexes(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);
void validate_services(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);
void validate_fallbacks(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);
void validate_vip_checks(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);

/// Of a file without errors: who can have orders that are given on another node.
void validate_peers(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);

/// Whether the kernel with these modules has the schedulers: a warning where the first service names one that is
/// missing.
void validate_schedulers(const Cluster& cluster, const Origin& origin, const net::Modules& modules,
                         Diagnostics& diagnostics);

/// Whether the programs of `exec` checks are on this host: a warning where each that is not is named first.
void validate_programs(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics);

}  // namespace config
