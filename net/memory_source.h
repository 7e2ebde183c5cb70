#pragma once

#include <map>
#include <optional>

#include "net/memory_network.h"

namespace net {

/// The source that the kernel chooses for packets to `to` which leave by an interface along a route of this scope and
/// gateway, where the route names none (inet_select_addr): nothing if there is none.
[[nodiscard]] std::optional<Address> choose_ipv4_source(const std::map<int, MemoryInterface>& interfaces,
                                                        const RouteEntry& route);

/// The same of IPv6 (RFC 6724, ipv6_dev_get_saddr).
[[nodiscard]] std::optional<Address> choose_ipv6_source(const std::map<int, MemoryInterface>& interfaces,
                                                        int interface_index, const Address& to);

}  // namespace net
