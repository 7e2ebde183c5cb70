#pragma once

#include "test/catch.h"
#include "test/interop/vrrp/node.h"

/// What the tests of two nodes play on.
namespace vrrp_test {

using namespace std::chrono_literals;

inline const std::string vip = "10.0.0.100/24";
inline const net::Address vip_address = lab::address("10.0.0.100");
inline constexpr auto skew_100 = 61ms;  ///< priority 100, adverts of 100 ms
inline constexpr auto slack = 40ms;     ///< the lab's timers and our loops

/// lb1 (priority 150), lb2 (100) and a neighbour, on a network.
struct Lan {
  lab::Topology topology;
  lab::Host& host1 = topology.add_host("lb1");
  lab::Host& host2 = topology.add_host("lb2");
  lab::Host& neighbour = topology.add_host("client");

  Lan() {
    topology.add_network("lan");
    topology.connect(host1, "lan", "eth0", {"10.0.0.1/24"});
    topology.connect(host2, "lan", "eth0", {"10.0.0.2/24"});
    topology.connect(neighbour, "lan", "eth0", {"10.0.0.3/24"});
  }

  [[nodiscard]] bool only_holder(const lab::Host& host) const {
    return host.holds(vip_address) && !(&host == &host1 ? host2 : host1).holds(vip_address);
  }
};

struct Pair : Lan {
  Node lb1{host1, {spec("front", 51, 150, vip)}};
  Node lb2{host2, {spec("front", 51, 100, vip)}};

  /// Both started, and lb1 master.
  void settle() {
    lb1.start();
    lb2.start();
    REQUIRE(pump({&lb1, &lb2}, [&] { return lb1.is_master(); }, 3s));
    pump_for({&lb1, &lb2}, lb1.specs[0].advertise * 3 / 2);
    REQUIRE(lb2.state() == vrrp::RouterState::backup);
    REQUIRE(only_holder(host1));
  }
};

}  // namespace vrrp_test
