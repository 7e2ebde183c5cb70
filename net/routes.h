#pragma once

#include <optional>

#include "net/address.h"
#include "net/error.h"
#include "net/netlink.h"

namespace net {

/// How packets to an address leave this host, as the kernel's routing stands now.
struct Route {
  int interface_index = 0;
  std::optional<Address> source;  ///< the address of this host that the kernel would choose
  bool local = false;             ///< the address is one of this host's own
};

/// Asks the kernel over a NETLINK_ROUTE socket. Errors: ENETUNREACH and the like: there is no route.
Result<Route> route_to(Netlink& netlink, const Address& address);

}  // namespace net
