#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "net/address.h"
#include "net/error.h"
#include "net/netlink.h"
#include "net/scope.h"
#include "net/time.h"

namespace net {

/// What suits an IPv4 address for which no scope was chosen.
[[nodiscard]] inline Scope suitable_scope(const Address& address) {
  return address.is_link_local() ? Scope::link : Scope::global;
}

/// Addresses that the kernel itself removes when nobody renews them: so a process that crashes, hangs or is stopped
/// cannot keep one for ever.
class Leases {
 public:
  /// Error EPERM: the process lacks CAP_NET_ADMIN.
  static Result<Leases> open();

  struct Request {
    int interface_index = 0;
    Prefix prefix;
    /// Whether the kernel makes a route to the address's network with it. An IPv6 address in a network that the
    /// interface reaches already must not bring one: the route would take over the lease's end, and vanish with it.
    bool prefix_route = true;
    std::string label{};           ///< of IPv4, 15 characters at most; empty: the interface's name
    std::optional<Scope> scope{};  ///< of IPv4; none: what suits the address
  };

  /// Puts the address on the interface for `lease`, or renews it if it is there, leased or permanent;
  /// then it keeps its label and scope. IPv6 addresses do
  /// without duplicate address detection, which would cost a second or two; the one that holds the role vouches for
  /// them.
  Result<> set(const Request& request, std::chrono::seconds lease);

  /// The lease on an address: for how long it was granted, and when that was.
  struct Lease {
    std::chrono::seconds granted{};
    Instant since;
  };
  /// Nothing if it is not there or is there for ever.
  Result<std::optional<Lease>> find(int interface_index, const Prefix& prefix);

  /// Takes it off; success too if it or the interface is gone.
  Result<> drop(int interface_index, const Prefix& prefix);

 private:
  explicit Leases(Netlink netlink) : netlink_(std::move(netlink)) {}

  Netlink netlink_;
};

}  // namespace net
