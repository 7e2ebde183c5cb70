#pragma once

#include <functional>
#include <string>
#include <vector>

#include "test/interop/host/sides.h"
#include "test/seeded.h"

/// Something that is done to both hosts.
struct Operation {
  std::string text;
  std::function<std::string(Side&)> doing;  ///< what came of it, in words; a refusal begins with "refused"
};

/// Seeded random operations on a host, from pools small enough that they meet what earlier ones have left behind.
///
/// Left out: IPv6 networks on lo, whose routes the kernel makes unreachable ones; lo set down, which nobody does; IPv6
/// routes of one prefix and metric through gateways on several interfaces, which the kernel makes one route that dies
/// in parts; macvlans on macvlans; routes to multicast; writing the settings of `default`, which reach interfaces that
/// have had no IPv4 address yet.
class Operations : Seeded {
 public:
  using Seeded::Seeded;

  Operation next();

 private:
  std::string interface();
  net::Address ipv4();
  net::Address ipv6();
  net::Prefix prefix(const std::string& interface);

  Operation lease_address();
  Operation drop_address();
  Operation add_address();
  Operation find_address();
  net::RouteEntry route(std::string& interface);
  Operation set_route();
  Operation drop_route();
  Operation add_default_route();
  Operation route_to();
  Operation set_carrier();
  Operation set_up();
  Operation make_macvlan();
  Operation remove_macvlan();
  Operation change_setting();
};
