#include "vrrp/virtual_mac.h"

#include <fmt/format.h>

#include <cerrno>

namespace vrrp {

namespace {

net::Result<> at_least(net::Sysctls& sysctls, const std::string& interface, const std::string& name, int wanted) {
  const auto now = sysctls.in_force(interface, name);
  if (!now) return std::unexpected(now.error());
  if (*now >= wanted) return {};
  return sysctls.set(fmt::format("net/ipv4/conf/{}/{}", interface, name), fmt::format("{}", wanted));
}

}  // namespace

net::Mac virtual_mac(net::Family family, std::uint8_t router_id) {
  const auto kind = family == net::Family::ipv4 ? std::byte{1} : std::byte{2};
  return {std::byte{0}, std::byte{0}, std::byte{0x5e}, std::byte{0}, kind, std::byte{router_id}};
}

net::Result<> separate_arp(net::Sysctls& sysctls, const std::string& lower, const std::string& upper) {
  for (const std::string& interface : {lower, upper}) {
    // Answers only for addresses that are on the interface itself, and asks in the name of no other.
    if (auto set = at_least(sysctls, interface, "arp_ignore", 1); !set) return set;
    if (auto set = at_least(sysctls, interface, "arp_announce", 2); !set) return set;
  }
  const auto rp_filter = sysctls.in_force(upper, "rp_filter");
  if (!rp_filter) return std::unexpected(rp_filter.error());
  if (*rp_filter == 1) {
    if (auto set = at_least(sysctls, upper, "rp_filter", 2); !set) return set;
  }
  // Else it would make itself an IPv6 address from a router's advertisement, the same on every node.
  auto set = sysctls.set(fmt::format("net/ipv6/conf/{}/accept_ra", upper), "0");
  if (!set && set.error().code != ENOENT) return set;
  return {};
}

}  // namespace vrrp
