#pragma once

#include "net/announce.h"
#include "net/leases.h"
#include "net/macvlans.h"
#include "net/route_table.h"
#include "net/sysctls.h"

namespace vrrp {

/// What virtual routers do through the kernel, all with the same sockets.
struct Tools {
  net::Leases leases;
  net::RouteTable routes;
  net::Macvlans macvlans;
  net::Announcer announcer;
  net::Sysctls sysctls;
};

}  // namespace vrrp
