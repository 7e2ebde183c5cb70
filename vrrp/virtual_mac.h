#pragma once

#include <cstdint>

#include "net/links.h"
#include "net/sysctls.h"

/// RFC 9568 section 7.3: a virtual router's own Ethernet address, which moves with it, so that its neighbours need not
/// learn another.
namespace vrrp {

/// 00:00:5e:00:01:VRID of IPv4, 00:00:5e:00:02:VRID of IPv6.
[[nodiscard]] net::Mac virtual_mac(net::Family family, std::uint8_t router_id);

/// Has each of the two interfaces answer ARP for its own addresses alone: the virtual one, called `upper`, of the
/// virtual ones, and its lower interface of the node's; and lets packets come in by the virtual one that would be
/// answered by the other. Changes only what is less than it must be. Error: the first setting that could not be made.
net::Result<> separate_arp(net::Sysctls& sysctls, const std::string& lower, const std::string& upper);

}  // namespace vrrp
