// Virtual routers whose advertisements are unicast, on a host in memory.

#include <algorithm>

#include "test/catch.h"
#include "test/unit/vrrp/node.h"

using namespace std::chrono_literals;
using vrrp_test::address;
using vrrp_test::prefix;

namespace {

/// A node at 10.0.0.2 on eth0 whose peer is 10.0.0.1, with an advertisement interval of 100 ms.
struct World : vrrp_test::Node {
  World() {
    host.add_interface("eth0", {std::byte{2}});
    host.add_interface("eth1", {std::byte{2}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{1}});
  }

  void start() {
    vrrp::Spec spec{.name = "front", .router_id = 51, .interface = "eth0", .addresses = {prefix("10.0.0.100/24")}};
    spec.advertise = 100ms;
    spec.peer_priorities = {150};
    spec.unicast = vrrp::Unicast{.source = address("10.0.0.2"), .peers = {address("10.0.0.1")}};
    Node::start(spec);
  }

  void hear(std::uint8_t priority) {
    Node::hear({.source = address("10.0.0.1"), .destination = address("10.0.0.2")}, priority, {address("10.0.0.100")});
  }

  [[nodiscard]] vrrp::RouterState state() const { return routers->status().at(0).state; }
  /// How often its own address was announced, since they were counted last.
  auto own_announcements() {
    const auto count =
        std::ranges::count(host.announcements, address("10.0.0.2"), &net::MemoryHost::Announcement::address);
    host.announcements.clear();
    return count;
  }
};

using enum vrrp::RouterState;

}  // namespace

TEST_CASE("a unicast peer may have lost this node's Ethernet address while its link was down") {
  World world;
  REQUIRE(world.host.add_address("eth0", prefix("10.0.0.2/24")));
  world.start();
  CHECK(world.own_announcements() == 1);
  world.run(370ms);
  REQUIRE(world.state() == master);  // a start waits for no more than a Master_Down_Interval
  world.host.set_carrier("eth0", false);
  world.run(45s);
  REQUIRE(world.state() == initialize);
  REQUIRE(world.own_announcements() == 0);
  world.host.set_carrier("eth0", true);
  world.run(10ms);
  CHECK(world.own_announcements() == 1);

  SECTION("it listens until the peer has asked for it") {
    world.run(1330ms);
    CHECK(world.state() == backup);
    world.run(50ms);
    CHECK(world.state() == master);
  }
  SECTION("who is heard is followed as usual") {
    world.run(1s);
    world.hear(150);
    world.run(340ms);
    CHECK(world.state() == backup);
    world.run(60ms);
    CHECK(world.state() == master);
  }
  SECTION("a farewell is heeded at once") {
    world.hear(150);
    world.run(10ms);
    world.hear(0);
    world.run(20ms);
    CHECK(world.state() == master);
  }
}

TEST_CASE("a unicast router without the node's address takes no part: nobody would hear that it leads") {
  World world;
  world.start();
  world.run(1s);
  CHECK(world.log.empty());
  CHECK(world.notices == "cannot take part: no interface has the address 10.0.0.2 of this node yet\n");

  SECTION("until an interface gets it, whichever that is") {
    const char* interface = GENERATE("eth0", "eth1");
    REQUIRE(world.host.add_address(interface, prefix("10.0.0.2/24")));
    world.run(10ms);
    CHECK(world.log == "initialize -> backup\n");
    world.run(2s);
    CHECK(world.log == "initialize -> backup\nbackup -> master\n");
  }
}
