#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "test/lab/topology.h"

namespace lab {

/// The kernel's own account of its IPVS table: /proc/net/ip_vs, for ground truth.
struct IpvsDestination {
  std::string endpoint;  ///< "192.168.200.11:80"
  std::string forward;   ///< Masq, Route, Tunnel, Local
  int weight = 0;
  int active = 0, inactive = 0;
};

struct IpvsService {
  std::string protocol;  ///< TCP, UDP, SCTP, FWM
  std::string endpoint;  ///< for FWM: the mark in hexadecimal
  std::string scheduler;
  std::vector<IpvsDestination> destinations;
};

std::vector<IpvsService> parse_ipvs_table(std::string_view text);

/// The weight of a destination in any service of a host; 0 where it is not there.
int weight_of(const Host& host, std::string_view endpoint);

}  // namespace lab
