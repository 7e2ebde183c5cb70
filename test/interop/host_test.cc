// The host in memory against the real one: the same operations get the same answers and leave the same network.
#include <thread>

#include "test/catch.h"
#include "test/interop/host/operations.h"
#include "test/interop/host/sides.h"
#include "test/lab/process.h"

using namespace std::chrono_literals;

TEST_CASE("random operations get the same answers and leave the same network as in the real kernel") {
  constexpr std::uint32_t lives = 30;
  constexpr int operations_in_a_life = 100;
  int refused = 0;
  for (std::uint32_t seed = 1; seed <= lives; ++seed) {
    RealSide real;
    MemorySide imagined(real);
    Operations operations(seed);
    std::string before;
    for (int i = 0; i < operations_in_a_life; ++i) {
      const Operation operation = operations.next();
      INFO("seed " << seed << ", operation " << i << ": " << operation.text << "; before it:\n" << before);
      imagined.go_on();
      const std::string expected = operation.doing(real);
      REQUIRE(operation.doing(imagined) == expected);
      refused += expected.starts_with("refused");
      const std::string interfaces = imagined.interfaces();
      REQUIRE(interfaces == interfaces_like(real, interfaces));
      REQUIRE(imagined.routes() == real.routes());
      before = interfaces + imagined.routes();
    }
    for (Side* side : {static_cast<Side*>(&real), static_cast<Side*>(&imagined)}) {
      REQUIRE(side->host().remove_interface(side->index_of("eth0")));
    }
    const std::string interfaces = imagined.interfaces();
    CHECK(interfaces == interfaces_like(real, interfaces));
    CHECK(imagined.routes() == real.routes());
  }
  CHECK(refused > 500);
}

// own_routes() is left out: the kernel lists an IPv6 route whose time is over until it collects such, half a minute
// later at most.
TEST_CASE("leases end with the same addresses gone and the same routes") {
  RealSide real;
  MemorySide imagined(real);
  const auto both = [&](const std::function<void(Side&)>& doing) {
    doing(real);
    doing(imagined);
  };
  const auto hold = [](Side& side, const std::string& interface, const std::string& what, std::chrono::seconds lease) {
    const auto held =
        side.host().lease_address({.interface_index = side.index_of(interface), .prefix = lab::prefix(what)}, lease);
    REQUIRE(held);
  };
  both([&](Side& side) {
    REQUIRE(side.host().write_setting("net/ipv4/conf/eth1/promote_secondaries", "1"));
    for (const std::string what : {"10.0.0.1/24", "10.0.4.1/24", "2001:db8:1::1/64", "2001:db8:2::1/64"}) {
      REQUIRE(side.add_address("eth0", lab::prefix(what)));
    }
    hold(side, "eth0", "10.0.0.2/24", 1s);  // a secondary
    hold(side, "eth0", "10.0.1.1/24", 1s);  // a primary, and one that goes with it
    hold(side, "eth0", "10.0.1.2/24", 100s);
    hold(side, "eth1", "10.0.2.1/24", 1s);  // a primary, and one that stays
    hold(side, "eth1", "10.0.2.2/24", 100s);
    hold(side, "eth0", "10.0.4.1/24", 1s);  // one that was permanent
    hold(side, "eth0", "2001:db8::1/64", 1s);
    hold(side, "eth0", "2001:db8::2/64", 100s);  // it keeps the route
    hold(side, "eth0", "2001:db8:1::1/64", 1s);
    hold(side, "eth0", "2001:db8:2::2/64", 1s);  // the route is another's
    hold(side, "eth0", "2001:db8:3::1/64", 1s);
    const net::RouteEntry route{.to = lab::prefix("2001:db8:100::/48"),
                                .via = lab::address("2001:db8:2::9"),
                                .interface_index = side.index_of("eth0")};
    REQUIRE(side.host().set_route(route, 1s));
  });
  const auto compare = [&](const std::string& when) {
    INFO(when);
    const std::string interfaces = imagined.interfaces();
    CHECK(interfaces == interfaces_like(real, interfaces));
    for (const char* to : {"10.0.0.9", "10.0.1.9", "10.0.2.9", "10.0.4.9", "2001:db8::9", "2001:db8:1::9",
                           "2001:db8:2::9", "2001:db8:3::9", "2001:db8:100::9"}) {
      INFO(to);
      const auto expected = real.host().route_to(lab::address(to)), route = imagined.host().route_to(lab::address(to));
      REQUIRE(route.has_value() == expected.has_value());
      if (!route) continue;
      CHECK(imagined.name_of(route->interface_index) == real.name_of(expected->interface_index));
      CHECK(route->source == expected->source);
    }
  };
  compare("now");
  std::this_thread::sleep_for(1500ms);
  imagined.go_on();
  compare("after the shorter leases");
}
