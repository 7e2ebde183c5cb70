// A virtual router that owns its addresses (priority 255): they are permanent, and directord leaves them as they are.

#include <algorithm>

#include "test/catch.h"
#include "test/unit/vrrp/node.h"
#include "vrrp/link.h"

using namespace std::chrono_literals;
using vrrp_test::address;
using vrrp_test::prefix;

namespace {

struct World : vrrp_test::Node {
  vrrp::Spec spec;
  int eth0 = host.add_interface("eth0", {std::byte{2}});
  std::vector<std::uint8_t> sent;  ///< the priorities of adverts

  World() {
    REQUIRE(host.add_address("eth0", prefix("10.0.0.2/24")));
    REQUIRE(host.add_address("eth0", prefix("10.0.0.100/24")));
    spec.name = "front";
    spec.router_id = 51;
    spec.interface = "eth0";
    spec.priority = vrrp::owner_priority;
    spec.advertise = 100ms;
    spec.peer_priorities = {150};
    spec.peer_addresses = {address("10.0.0.3")};
    spec.addresses = {prefix("10.0.0.100/24")};
    host.on_send = [this](const std::string& /*interface*/, const net::RawSocket::Packet& packet) {
      CHECK(packet.source == address("10.0.0.2"));
      sent.push_back(std::to_integer<std::uint8_t>(packet.payload[2]));
    };
  }

  /// There, for good.
  [[nodiscard]] bool has_its_own() {
    const auto leased = host.find_address(eth0, prefix("10.0.0.100/24"));
    return host.addresses().contains({"eth0", prefix("10.0.0.100/24")}) && leased && !*leased;
  }
};

}  // namespace

TEST_CASE("an owner is master at once, and its addresses stay permanent whatever its role") {
  World world;
  world.start(world.spec);
  CHECK(world.log == "initialize -> master\n");
  world.run(10s);  // longer than any lease
  CHECK(world.has_its_own());
  CHECK(std::ranges::all_of(world.sent, [](int priority) { return priority == 255; }));
  CHECK_FALSE(world.host.announcements.empty());
  CHECK_FALSE(world.routers->status()[0].lease_end);

  world.hear({.source = address("10.0.0.3"), .destination = vrrp::multicast_group(net::Family::ipv4)}, 254,
             {address("10.0.0.100")});
  world.run(1s);
  CHECK(world.log == "initialize -> master\n");

  world.host.set_carrier("eth0", false);
  world.run(1s);
  CHECK(world.log == "initialize -> master\nmaster -> initialize\n");
  CHECK(world.has_its_own());
  world.host.set_carrier("eth0", true);
  world.run(1s);
  CHECK(world.routers->status()[0].state == vrrp::RouterState::master);

  world.routers->stop();
  world.run(1s);
  CHECK(world.routers->status()[0].state == vrrp::RouterState::initialize);
  CHECK(world.has_its_own());
}

TEST_CASE("nothing takes the role from an owner") {
  World world;
  world.start(world.spec);
  const auto moved = world.routers->hand_over("front");
  REQUIRE_FALSE(moved);
  CHECK(moved.error().message == "front has priority 255 here: this node owns the addresses, which cannot move");
  world.routers->demote("front", "the kernel has no IPVS table");
  world.routers->set_priority_penalty("front", 60, "a test");
  world.run(1s);
  CHECK(world.log == "initialize -> master\n");
  CHECK(world.routers->status()[0].priority == 255);
  CHECK(world.routers->status()[0].standby_reason == "");
  CHECK(std::ranges::all_of(world.sent, [](int priority) { return priority == 255; }));
}

TEST_CASE("an owner without its permanent address is in fault until it has it") {
  World world;
  REQUIRE(world.host.drop_address(world.eth0, prefix("10.0.0.100/24")));
  world.start(world.spec);
  world.run(1s);
  CHECK(world.log == "");
  CHECK(world.sent.empty());
  CHECK(world.routers->status()[0].fault ==
        "10.0.0.100/24 is not a permanent address of eth0, which priority 255 (address owner) needs");
  REQUIRE(world.host.add_address("eth0", prefix("10.0.0.100/24")));
  world.run(1s);
  CHECK(world.log == "initialize -> master\n");
  REQUIRE(world.host.drop_address(world.eth0, prefix("10.0.0.100/24")));
  world.run(1s);
  CHECK(world.log == "initialize -> master\nmaster -> initialize\n");
  CHECK(world.host.addresses().count({"eth0", prefix("10.0.0.100/24")}) == 0);
}

TEST_CASE("what an owner's router no longer lists stays on the host") {
  World world;
  REQUIRE(world.host.add_address("eth0", prefix("10.0.0.101/24")));
  world.spec.addresses.emplace_back(prefix("10.0.0.101/24"));
  world.start(world.spec);
  world.spec.addresses = {prefix("10.0.0.101/24")};
  auto wanted = vrrp::prepare(world.host, {world.spec}, {});
  REQUIRE(wanted);
  world.routers->update(std::move(*wanted));
  world.run(1s);
  CHECK(world.has_its_own());
  CHECK(world.routers->status()[0].state == vrrp::RouterState::master);
}

TEST_CASE("an address that was leased here is not an owner's") {
  World world;
  REQUIRE(world.host.drop_address(world.eth0, prefix("10.0.0.100/24")));
  world.spec.priority = 150;
  world.start(world.spec);
  world.run(1s);
  REQUIRE(world.routers->status()[0].state == vrrp::RouterState::master);
  world.spec.priority = vrrp::owner_priority;
  auto wanted = vrrp::prepare(world.host, {world.spec}, {});
  REQUIRE(wanted);
  world.routers->update(std::move(*wanted));
  world.run(5s);
  CHECK(world.routers->status()[0].fault ==
        "10.0.0.100/24 is not a permanent address of eth0, which priority 255 (address owner) needs");
  CHECK_FALSE(world.host.addresses().contains({"eth0", prefix("10.0.0.100/24")}));
}
