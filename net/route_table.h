#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/netlink.h"
#include "net/scope.h"

namespace net {

/// A unicast route of the kernel's tables.
struct RouteEntry {
  Prefix to;  ///< 0.0.0.0/0 or ::/0: the default route
  std::optional<Address> via{};
  int interface_index = 0;
  std::optional<Address> source{};  ///< preferred by what this host sends along it
  std::uint32_t table = 254;        ///< 254: main
  std::uint32_t metric = 0;         ///< of IPv6, 0 is the kernel's 1024
  Scope scope = Scope::global;      ///< of IPv4

  auto operator<=>(const RouteEntry&) const = default;
};

/// Routes of our own among those of others in the kernel's tables: they carry a protocol number that says whose they
/// are, also to a later process.
class RouteTable {
 public:
  /// rtm_protocol of what set() adds; "112" in the listings of `ip route`, after VRRP's own number.
  static constexpr std::uint8_t protocol = 112;

  static Result<RouteTable> open();

  /// Sets the route where it is not there already. Routes of others stay: of IPv4 ours goes before one to the same
  /// prefix with the same metric, of IPv6 the two share. IPv6 routes have a lifetime as addresses do: each call grants
  /// `lease` anew. IPv4 knows none. Errors: ENETUNREACH, EINVAL: the kernel cannot reach `via` or has no `source`.
  Result<> set(const RouteEntry& route, std::chrono::seconds lease);

  /// Takes it away; success too if it or its interface is gone.
  Result<> drop(const RouteEntry& route);

  /// All that carry our protocol number.
  Result<std::vector<RouteEntry>> own();

 private:
  explicit RouteTable(Netlink netlink) : netlink_(std::move(netlink)) {}

  Netlink netlink_;
};

}  // namespace net
