// Virtual routers on a host in memory: what they make of packets that arrive together.

#include "vrrp/routers.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "test/catch.h"
#include "test/unit/vrrp/node.h"
#include "vrrp/link.h"

using namespace std::chrono_literals;
using vrrp_test::address;
using vrrp_test::prefix;

namespace {

/// A backup that hears a master at 10.0.0.1, each advert of which a test sends.
struct World : vrrp_test::Node {
  vrrp::Spec spec;

  /// `before`: how long the first turn lasts before they start.
  explicit World(net::Duration before = {}, const char* interface = "eth0") {
    clock.advance_to(clock.now() + before);
    host.add_interface("eth0", {std::byte{2}});
    REQUIRE(host.add_address("eth0", prefix("10.0.0.2/24")));
    spec.name = "front";
    spec.router_id = 51;
    spec.interface = interface;
    spec.priority = 100;
    spec.advertise = 100ms;
    spec.peer_priorities = {150};  // it is next: a farewell is heeded at once
    spec.peer_addresses = {address("10.0.0.3")};
    spec.addresses = {prefix("10.0.0.100/24")};
    start();
  }

  void start() { Node::start(spec); }

  void hear(std::uint8_t priority, const std::vector<net::Address>& addresses = {address("10.0.0.100")},
            const char* source = "10.0.0.1", vrrp::Checksum checksum = vrrp::Checksum::rfc5798) {
    Node::hear({.source = address(source), .destination = vrrp::multicast_group(net::Family::ipv4)}, priority,
               addresses, checksum);
  }
};

}  // namespace

TEST_CASE("a farewell that its sender has taken back is none") {
  World world;
  world.hear(150);
  world.pass(50ms);
  REQUIRE(world.log == "initialize -> backup\n");
  // What arrived while this node stood still: the master offered its role, nobody took it, and it went on.
  for (const int priority : {150, 0, 0, 150}) world.hear(static_cast<std::uint8_t>(priority));
  world.pass(20ms);
  CHECK(world.log == "initialize -> backup\n");
  CHECK(world.host.announcements.empty());

  SECTION("one that stands is heeded") {
    world.hear(0);
    world.pass(100ms);
    CHECK(world.log == "initialize -> backup\nbackup -> master\n");
    CHECK_FALSE(world.host.announcements.empty());
  }
  SECTION("another's word does not take it back") {
    world.hear(0);
    world.hear(0);
    world.pass(100ms);
    CHECK(world.log == "initialize -> backup\nbackup -> master\n");
  }
}

TEST_CASE("a start that took long does not listen for less than a Master_Down_Interval") {
  World world(100ms);
  world.pass(350ms);
  CHECK(world.log == "initialize -> backup\n");
  world.pass(20ms);
  CHECK(world.log == "initialize -> backup\nbackup -> master\n");
}

TEST_CASE("an advertisement that lists none of our addresses is another virtual router's") {
  World world;
  const auto hear_for = [&](net::Duration time, const std::vector<net::Address>& addresses, const char* source) {
    for (auto passed = 0ms; passed < time; passed += 50ms) {
      world.hear(200, addresses, source);
      world.pass(50ms);
    }
  };
  const auto rejected = [&] {
    return world.routers->status().at(0).adverts.rejected[std::to_underlying(vrrp::RejectReason::vrid_conflict)];
  };
  const std::vector others = {address("10.0.0.200")};

  SECTION("its priority is no matter, and it is told once") {
    hear_for(1s, others, "10.0.0.9");
    CHECK(world.log == "initialize -> backup\nbackup -> master\n");
    CHECK(rejected() == 20);
    CHECK(world.notices ==
          "advertisement from 10.0.0.9 refused: it is of another virtual router with this router_id: it lists none of "
          "the addresses of this one (1 so far)\n");
    CHECK(world.routers->status().at(0).last_rejected->reason == vrrp::RejectReason::vrid_conflict);
    CHECK(world.routers->status().at(0).peers.empty());
  }
  SECTION("one that lists some of them is not: a reload is under way") {
    hear_for(1s, {address("10.0.0.200"), address("10.0.0.100")}, "10.0.0.9");
    CHECK(world.log == "initialize -> backup\n");
    CHECK(rejected() == 0);
  }
  SECTION("one from a node of the cluster file is not") {
    hear_for(1s, others, "10.0.0.3");
    CHECK(world.log == "initialize -> backup\n");
    CHECK(rejected() == 0);
  }
  SECTION("one from who has listed our addresses before is not") {
    world.hear(200);
    world.pass(50ms);
    hear_for(1s, others, "10.0.0.1");
    CHECK(world.log == "initialize -> backup\n");
    CHECK(rejected() == 0);
  }
}

TEST_CASE("the checksum that peers send is sent: each kind of them takes but its own") {
  using enum vrrp::Checksum;
  World world;
  std::optional<vrrp::Checksum> sent;
  world.host.on_send = [&](const std::string&, const net::RawSocket::Packet& packet) {
    const vrrp::Path path{.source = packet.source, .destination = packet.destination};
    REQUIRE(follows(packet.payload, path, rfc5798) != follows(packet.payload, path, rfc9568));
    sent = follows(packet.payload, path, rfc5798) ? rfc5798 : rfc9568;
  };
  const auto hear = [&](vrrp::Checksum checksum) {
    world.hear(200, {address("10.0.0.100")}, "10.0.0.1", checksum);
    world.pass(10ms);
  };
  const auto sent_by_master = [&] {
    sent.reset();
    world.run(1s);
    return sent;
  };
  CHECK(sent_by_master() == rfc5798);  // nobody was heard
  hear(rfc9568);
  CHECK(sent_by_master() == rfc9568);
  CHECK(world.notices ==
        "10.0.0.1 sends advertisements with the checksum of RFC 9568 (without a pseudo-header): sending that too\n");
  hear(rfc5798);
  CHECK(sent_by_master() == rfc5798);
  hear(rfc9568);
  hear(rfc5798);
  CHECK(std::ranges::count(world.notices, '\n') == 1);  // told once a minute
  world.run(60s);
  hear(rfc9568);
  CHECK(std::ranges::count(world.notices, '\n') == 2);
}

TEST_CASE("a master whose interface gets another Ethernet address announces its addresses at once") {
  World world;
  world.run(1s);
  REQUIRE(world.log == "initialize -> backup\nbackup -> master\n");
  world.run(10s);
  world.host.announcements.clear();
  world.pass(1ms);
  REQUIRE(world.host.announcements.empty());
  world.host.set_mac("eth0", {std::byte{2}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{9}});
  world.pass(1ms);
  REQUIRE(world.host.announcements.size() == 1);
  world.run(5s);
  CHECK(world.host.announcements.size() > 1);  // a neighbour may lose one or two
  CHECK(world.log == "initialize -> backup\nbackup -> master\n");
}

TEST_CASE("a router that cannot take part from its start on says why, and each other reason") {
  World world({}, "eth7");
  CHECK(world.log.empty());
  CHECK(world.notices == "cannot take part: there is no interface eth7\n");
  world.notices.clear();
  world.host.add_interface("eth7", {std::byte{2}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte{7}});
  world.pass(10ms);
  CHECK(world.notices == "cannot take part: eth7 has no IPv4 address of its own yet\n");
  REQUIRE(world.host.add_address("eth7", prefix("10.0.1.2/24")));
  world.pass(10ms);
  CHECK(world.log == "initialize -> backup\n");
}

TEST_CASE("a router's interface may be named by an altname, which may come later") {
  World world({}, "wan-uplink-of-the-first-rack");
  CHECK(world.notices == "cannot take part: there is no interface wan-uplink-of-the-first-rack\n");
  world.host.add_altname("eth0", "wan-uplink-of-the-first-rack");
  world.run(1s);
  CHECK(world.log == "initialize -> backup\nbackup -> master\n");
  CHECK(world.host.addresses().contains({"eth0", prefix("10.0.0.100/24")}));
}

TEST_CASE("a router with other nodes is in fault on lo, by which none is reached") {
  World world({}, "lo");
  world.run(2s);
  CHECK(world.log.empty());
  CHECK(world.notices.contains("no advertisement reaches another node by lo"));
  CHECK(world.routers->status().at(0).present_addresses.empty());
}

TEST_CASE("a master that resigns on the one link it has left is followed, whichever link is read first") {
  net::VirtualClock clock;
  auto loop = net::Loop::create(clock).value();
  net::MemoryHost host{clock};
  World listener;
  std::vector<vrrp::Spec> specs(2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto interface = i == 0 ? "eth0" : "eth1";
    host.add_interface(interface, {std::byte{2}, std::byte{}, std::byte{}, std::byte{}, std::byte{}, std::byte(i)});
    REQUIRE(host.add_address(interface, prefix(i == 0 ? "10.0.0.2/24" : "10.0.1.2/24")));
    specs[i].name = i == 0 ? "front" : "back";
    specs[i].router_id = static_cast<std::uint8_t>(51 + i);
    specs[i].interface = interface;
    specs[i].advertise = 100ms;
    specs[i].peer_priorities = {150, 120};  // it is not next: a Skew_Time is for whoever is
    specs[i].addresses = {prefix(i == 0 ? "10.0.0.100/24" : "10.0.1.100/24")};
  }
  auto wanted = vrrp::prepare(host, specs, {{"front", "back"}});
  REQUIRE(wanted);
  auto routers = vrrp::Routers::start(loop, host, std::move(*wanted), listener, {}).value();
  const auto pass = [&](net::Duration time) {
    clock.advance_to(clock.now() + time);
    for (int turn = 0; turn < 5; ++turn) REQUIRE(loop.turn({}));
  };
  const auto say = [&](std::size_t i, std::uint8_t priority) {
    const vrrp::Path path{.source = address(i == 0 ? "10.0.0.1" : "10.0.1.1"),
                          .destination = vrrp::multicast_group(net::Family::ipv4)};
    const auto bytes = encode({.router_id = static_cast<std::uint8_t>(51 + i),
                               .priority = priority,
                               .max_advertise_interval = 100ms,
                               .addresses = {specs[i].addresses[0].prefix.address}},
                              path, vrrp::Checksum::rfc5798);
    host.deliver(specs[i].interface,
                 {.source = path.source, .destination = path.destination, .ttl = 255, .payload = bytes});
  };
  const std::size_t left = GENERATE(0, 1);
  for (int advert = 0; advert < 3; ++advert) {
    for (const std::size_t link : {0U, 1U}) say(link, 150);
    pass(100ms);
  }
  listener.log.clear();
  for (const std::size_t link : {0U, 1U}) say(link, 150);
  say(left, 0);
  for (int step = 0; step < 10; ++step) pass(10ms);
  CHECK(listener.log == "backup -> master\nbackup -> master\n");
}

TEST_CASE("a virtual address that others have set with another prefix length goes, from a backup and from a master") {
  World world;
  world.hear(200);
  world.pass(10ms);
  REQUIRE(world.host.add_address("eth0", prefix("10.0.0.100/32")));
  const auto all = [&] {
    std::string text;
    for (const auto& [interface, held] : world.host.addresses()) {
      if (held.address == address("10.0.0.100")) text += net::to_string(held) + " ";
    }
    return text;
  };
  SECTION("when it becomes master") {
    world.run(1s);
    REQUIRE(world.log == "initialize -> backup\nbackup -> master\n");
    CHECK(all() == "10.0.0.100/24 ");
    CHECK(world.errors ==
          "removed 10.0.0.100/32 from eth0: another program had set this virtual address with another prefix "
          "length\n");
  }
  SECTION("when it is started anew as a backup") {
    world.routers.reset();
    world.start();
    for (int adverts = 0; adverts < 10; ++adverts) {
      world.hear(200);
      world.pass(10ms);
    }
    CHECK(world.log == "initialize -> backup\ninitialize -> backup\n");
    CHECK(all() == "");
  }
}
