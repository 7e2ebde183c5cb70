#include "net/memory_host.h"

#include <algorithm>
#include <cerrno>

#include "net/virtual_clock.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using net::Address;
using net::Prefix;
using net::RawSocket;
using Use = RawSocket::Use;

namespace {

Address address(std::string_view text) { return Address::parse(text).value(); }
Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

constexpr net::Mac mac = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
constexpr net::Mac virtual_mac = {std::byte{0}, std::byte{0}, std::byte{0x5e},
                                  std::byte{0}, std::byte{1}, std::byte{7}};

struct World {
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  net::MemoryHost host{clock};
  int eth0 = host.add_interface("eth0", mac);
  std::vector<std::string> told;

  World() { REQUIRE(host.add_address("eth0", prefix("10.0.0.1/24"))); }

  std::unique_ptr<net::Links> follow() {
    return host.follow_links(loop, [this](const std::string& name) { told.push_back(name); }).value();
  }
  void turn() { REQUIRE(loop.turn(0s)); }
  void pass(net::Duration time) {
    clock.advance_to(clock.now() + time);
    host.expire();
    turn();
  }
  net::Result<> hold(std::string_view what, std::chrono::seconds lease) {
    return host.lease_address({.interface_index = eth0, .prefix = prefix(what)}, lease);
  }
  std::vector<std::string> take_told() { return std::exchange(told, {}); }
};

using Names = std::vector<std::string>;

RawSocket::Spec wanted(const World& world, Use use) {
  return {.name = "VRRP",
          .protocol = 112,
          .family = net::Family::ipv4,
          .use = use,
          .interface_index = world.eth0,
          .interface = "eth0",
          .group = address("224.0.0.18")};
}

/// A socket, and the payloads that it handed over.
struct Ear {
  World& world;
  std::vector<std::string> heard{};
  int budget = 100;
  std::unique_ptr<RawSocket> socket{};

  Ear(World& where, Use use) : world(where) { socket = open(use); }

  std::unique_ptr<RawSocket> open(Use use) {
    return world.host.open_socket(world.loop, wanted(world, use), [this] { listen(); }).value();
  }
  void listen() {
    socket->receive(budget, [this](const RawSocket::Packet& packet) {
      heard.push_back(to_string(packet.source) + ">" + to_string(packet.destination));
    });
  }
};

RawSocket::Packet packet(std::string_view source, std::string_view destination) {
  return {.source = address(source), .destination = address(destination), .ttl = 255, .payload = {}};
}

}  // namespace

TEST_CASE("a lease is over when its time is, and is told of; renewing it begins anew") {
  World world;
  const auto links = world.follow();
  REQUIRE(world.hold("10.0.0.7/24", 3s));
  CHECK(world.host.next_expiry() == world.clock.now() + 3s);
  world.turn();
  CHECK(world.take_told() == Names{"eth0"});
  CHECK(links->find("eth0")->has(prefix("10.0.0.7/24")));

  world.pass(2s);
  REQUIRE(world.hold("10.0.0.7/24", 3s));
  world.pass(2999ms);
  CHECK(links->find("eth0")->has(prefix("10.0.0.7/24")));
  const auto held = world.host.find_address(world.eth0, prefix("10.0.0.7/24"));
  REQUIRE((held && *held));
  CHECK((*held)->granted == 3s);
  CHECK((*held)->since == world.clock.now() - 2999ms);
  CHECK(world.take_told().empty());

  world.pass(1ms);
  CHECK_FALSE(links->find("eth0")->has(prefix("10.0.0.7/24")));
  CHECK(world.take_told() == Names{"eth0"});
  CHECK_FALSE(world.host.next_expiry());
}

TEST_CASE("whatever looks at the host sees that a lease is over") {
  World world;
  REQUIRE(world.hold("10.0.0.7/24", 3s));
  world.clock.advance_to(world.clock.now() + 3s);
  CHECK_FALSE(*world.host.find_address(world.eth0, prefix("10.0.0.7/24")));
  CHECK_FALSE(world.host.addresses().contains({"eth0", prefix("10.0.0.7/24")}));
}

TEST_CASE("an interface is found by each of its names, and told of by all") {
  World world;
  const auto links = world.follow();
  CHECK(links->find("wan") == nullptr);
  world.host.add_altname("eth0", "wan");
  world.turn();
  CHECK(world.take_told() == Names{"eth0", "wan"});
  REQUIRE(links->find("wan") != nullptr);
  CHECK(links->find("wan") == links->find("eth0"));
  world.host.set_carrier("eth0", false);
  world.turn();
  CHECK(world.take_told() == Names{"eth0", "wan"});
}

TEST_CASE("a follower sees a change once its loop has turned, and is told what differs") {
  World world;
  const auto links = world.follow();
  world.host.set_carrier("eth0", false);
  CHECK(links->find("eth0")->up);
  CHECK(world.told.empty());
  world.turn();
  CHECK_FALSE(links->find("eth0")->up);
  CHECK(world.take_told() == Names{"eth0"});

  world.host.set_carrier("eth0", true);
  world.host.set_carrier("eth0", false);
  world.turn();
  CHECK(world.take_told().empty());

  const int index = world.host.make_macvlan({.name = "vrrp.7", .lower_index = world.eth0, .mac = virtual_mac})->index;
  REQUIRE(world.host.set_up(index, true));
  world.turn();
  CHECK(world.take_told() == Names{"vrrp.7"});
  CHECK_FALSE(links->find("vrrp.7")->up);
  world.host.set_carrier("eth0", true);
  world.turn();
  CHECK(world.take_told() == Names{"eth0", "vrrp.7"});
  CHECK(links->find("vrrp.7")->up);
  REQUIRE(world.host.remove_interface(world.eth0));
  world.turn();
  CHECK(world.take_told() == Names{"eth0", "vrrp.7"});
  CHECK(links->interfaces().size() == 1);
}

TEST_CASE("a socket hears what is for it, in its loop's next turn") {
  World world;
  Ear group(world, Use::multicast);
  Ear host(world, Use::unicast);
  Ear speaker(world, Use::send_multicast);
  world.host.add_interface("eth1", mac);
  world.host.deliver("eth0", packet("10.0.0.2", "224.0.0.18"));
  world.host.deliver("eth1", packet("10.0.0.3", "224.0.0.18"));
  world.host.deliver("eth0", packet("10.0.0.4", "224.0.0.5"));
  world.host.deliver("eth1", packet("10.0.0.5", "10.0.0.1"));
  world.host.deliver("eth0", packet("10.0.0.6", "10.0.0.9"));
  CHECK(group.heard.empty());
  world.turn();
  CHECK(group.heard == Names{"10.0.0.2>224.0.0.18"});
  CHECK(host.heard == Names{"10.0.0.5>10.0.0.1"});
  CHECK(speaker.heard.empty());

  world.host.set_carrier("eth0", false);
  world.host.deliver("eth0", packet("10.0.0.2", "224.0.0.18"));
  world.turn();
  CHECK(group.heard.size() == 1);
}

TEST_CASE("a socket is ready as long as packets wait, and drops what finds no room") {
  World world;
  Ear ear(world, Use::multicast);
  ear.budget = 600;
  for (int i = 0; i < 1003; ++i) world.host.deliver("eth0", packet("10.0.0.2", "224.0.0.18"));
  CHECK(ear.socket->dropped() == 3);
  world.turn();
  CHECK(ear.heard.size() == 600);
  world.turn();
  world.turn();
  CHECK(ear.heard.size() == 1000);
}

TEST_CASE("a packet leaves by the interface that it is sent on") {
  World world;
  Names sent;
  world.host.on_send = [&](const std::string& interface, const RawSocket::Packet& packet) {
    CHECK(packet.ttl == 255);
    sent.push_back(interface + " " + to_string(packet.destination));
  };
  Ear group(world, Use::multicast);
  Ear host(world, Use::unicast);
  const auto send = [&](Ear& ear, std::string_view source, std::string_view destination) {
    const auto done = ear.socket->send({}, address(source), address(destination));
    return done ? 0 : done.error().code;
  };
  CHECK(send(group, "10.0.0.1", "224.0.0.18") == 0);
  CHECK(send(host, "10.0.0.1", "10.0.0.2") == 0);
  CHECK(send(host, "10.0.0.2", "10.0.0.3") == ENETUNREACH);
  CHECK(send(host, "10.0.0.1", "192.0.2.1") == ENETUNREACH);
  CHECK(sent == Names{"eth0 224.0.0.18", "eth0 10.0.0.2"});

  world.host.injected_errors = {ENOBUFS};
  CHECK(send(group, "10.0.0.1", "224.0.0.18") == ENOBUFS);
  world.host.set_carrier("eth0", false);
  CHECK(send(group, "10.0.0.1", "224.0.0.18") == 0);
  CHECK(sent.size() == 2);
  REQUIRE(world.host.set_up(world.eth0, false));
  CHECK(send(group, "10.0.0.1", "224.0.0.18") != 0);
  REQUIRE(world.host.remove_interface(world.eth0));
  CHECK_FALSE(world.host.open_socket(world.loop, wanted(world, Use::multicast), [] {}));
}

TEST_CASE("a refusal is used up by one change") {
  World world;
  world.host.injected_errors = {EPERM, ENOMEM};
  CHECK(world.hold("10.0.0.7/24", 3s).error().code == EPERM);
  CHECK(world.host.set_route({.to = prefix("192.0.2.0/24"), .interface_index = world.eth0}, 3s).error().code == ENOMEM);
  CHECK(world.hold("10.0.0.7/24", 3s));
}

TEST_CASE("announcements are remembered if anybody could hear them") {
  World world;
  const auto eth0 = *world.follow()->find("eth0");
  REQUIRE(world.host.announce(eth0, address("10.0.0.7")));
  REQUIRE(world.host.announcements.size() == 1);
  CHECK(world.host.announcements[0].interface == "eth0");
  CHECK(world.host.announcements[0].at == world.clock.now());
  world.host.set_carrier("eth0", false);
  CHECK(world.host.announce(eth0, address("10.0.0.7")));
  CHECK(world.host.announcements.size() == 1);
  REQUIRE(world.host.remove_interface(world.eth0));
  CHECK(world.host.announce(eth0, address("10.0.0.7")).error().code == ENXIO);
}

TEST_CASE("an interface's settings come and go with it") {
  World world;
  REQUIRE(world.host.write_setting("net/ipv4/conf/default/arp_ignore", "1"));
  CHECK(world.host.read_setting("net/ipv4/conf/eth1/arp_ignore").error().code == ENOENT);
  const int eth1 = world.host.add_interface("eth1", mac);
  CHECK(world.host.read_setting("net/ipv4/conf/eth1/arp_ignore") == "1");
  CHECK(world.host.write_setting("net/ipv4/conf/eth1/arp_ignore", "many").error().code == EINVAL);
  REQUIRE(world.host.remove_interface(eth1));
  CHECK(world.host.write_setting("net/ipv4/conf/eth1/arp_ignore", "0").error().code == ENOENT);
}
