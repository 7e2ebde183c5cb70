#include "vrrp/virtual_mac.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace vrrp {

namespace {

int number(const std::string& text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// What is in force of an IPv4 setting: the greater of the interface's and that of all.
net::Result<int> in_force(const net::Sysctls& sysctls, const std::string& interface, const std::string& name) {
  int value = 0;
  for (const std::string& whose : {std::string("all"), interface}) {
    const auto read = sysctls.read(fmt::format("net/ipv4/conf/{}/{}", whose, name));
    if (!read) return std::unexpected(read.error());
    value = std::max(value, number(*read));
  }
  return value;
}

net::Result<> at_least(net::Sysctls& sysctls, const std::string& interface, const std::string& name, int wanted) {
  const auto now = in_force(sysctls, interface, name);
  if (!now) return std::unexpected(now.error());
  if (*now >= wanted) return {};
  return sysctls.set(fmt::format("net/ipv4/conf/{}/{}", interface, name), fmt::format("{}", wanted));
}

}  // namespace

net::Mac virtual_mac(net::Family family, std::uint8_t router_id) {
  const auto kind = family == net::Family::ipv4 ? std::byte{1} : std::byte{2};
  return {std::byte{0}, std::byte{0}, std::byte{0x5e}, std::byte{0}, kind, std::byte{router_id}};
}

std::string to_string(const net::Mac& mac) {
  std::string text;
  for (const std::byte byte : mac) text += fmt::format("{}{:02x}", text.empty() ? "" : ":", std::to_integer<int>(byte));
  return text;
}

net::Result<> separate(net::Sysctls& sysctls, const std::string& lower, const std::string& upper) {
  for (const std::string& interface : {lower, upper}) {
    // Answers only for addresses that are on the interface itself, and asks in the name of no other.
    if (auto set = at_least(sysctls, interface, "arp_ignore", 1); !set) return set;
    if (auto set = at_least(sysctls, interface, "arp_announce", 2); !set) return set;
  }
  const auto rp_filter = in_force(sysctls, upper, "rp_filter");
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
