// Virtual routers on one link, which share what they receive by.

#include <array>
#include <string>
#include <vector>

#include "net/memory_host.h"
#include "net/virtual_clock.h"
#include "test/catch.h"
#include "test/unit/net/forwarding_host.h"
#include "vrrp/advert.h"
#include "vrrp/link.h"
#include "vrrp/routers.h"

using namespace std::chrono_literals;

namespace {

net::Prefix prefix(const std::string& text) { return net::Prefix::parse(text).value(); }

/// Counts the sockets that receive.
class CountingHost : public ForwardingHost {
 public:
  using ForwardingHost::ForwardingHost;
  net::Result<std::unique_ptr<net::RawSocket>> open_socket(net::Loop& loop, const net::RawSocket::Spec& wanted,
                                                           net::RawSocket::OnReady on_ready) override {
    ++opened;
    return ForwardingHost::open_socket(loop, wanted, std::move(on_ready));
  }
  int opened = 0;
};

/// Backups: 51 and 52 on eth0, 61 and 62 on eth1. Masters are at 10.0.0.1 and 10.1.0.1, each advert of which a test
/// sends.
struct World : vrrp::Listener {
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  net::MemoryHost memory{clock};
  CountingHost host{memory};
  std::vector<vrrp::Spec> specs;
  std::vector<std::vector<std::string>> groups;
  std::unique_ptr<vrrp::Routers> routers;

  World() {
    for (const int link : {0, 1}) {
      const std::string interface = "eth" + std::to_string(link), net = "10." + std::to_string(link) + ".0.";
      memory.add_interface(interface, {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0},
                                       static_cast<std::byte>(link)});
      REQUIRE(memory.add_address(interface, prefix(net + "2/24")));
      for (const int number : {1, 2}) {
        vrrp::Spec spec;
        spec.router_id = static_cast<std::uint8_t>(51 + 10 * link + number - 1);
        spec.name = "r" + std::to_string(spec.router_id);
        spec.interface = interface;
        spec.advertise = 100ms;
        spec.peer_priorities = {150};  // it is next: a farewell is heeded at once
        spec.addresses = {prefix(net + std::to_string(spec.router_id) + "/24")};
        specs.push_back(spec);
      }
    }
  }

  void start() {
    auto started = vrrp::Routers::start(loop, host, vrrp::prepare(host, specs, groups).value(), *this, {});
    REQUIRE(started);
    routers = std::move(*started);
  }

  void on_transition(const vrrp::Transition&) override {}
  void on_error(const std::string&, const net::Error&) override {}
  void on_notice(const std::string&, const vrrp::Notice&) override {}
  void on_peer_identity(const vrrp::Identity&, const net::Address&) override {}
  void on_stopped() override {}

  void hear(int router_id, std::uint8_t priority, bool unicast = false) {
    const int link = router_id >= 61 ? 1 : 0;
    const std::string net = "10." + std::to_string(link) + ".0.";
    const vrrp::Path path{
        .source = prefix(net + "1/32").address,
        .destination = unicast ? prefix(net + "2/32").address : vrrp::multicast_group(net::Family::ipv4)};
    deliver(link, path,
            encode({.router_id = static_cast<std::uint8_t>(router_id),
                    .priority = priority,
                    .max_advertise_interval = 100ms,
                    .addresses = {prefix(net + std::to_string(router_id) + "/32").address}},
                   path, vrrp::Checksum::rfc5798));
  }
  void deliver(int link, const vrrp::Path& path, const std::vector<std::byte>& bytes) {
    memory.deliver("eth" + std::to_string(link),
                   {.source = path.source, .destination = path.destination, .ttl = 255, .payload = bytes});
  }

  void pass(net::Duration time) {
    clock.advance_to(clock.now() + time);
    for (int turn = 0; turn < 5; ++turn) REQUIRE(loop.turn({}));
  }

  [[nodiscard]] std::vector<std::uint64_t> received() const {
    std::vector<std::uint64_t> counts;
    for (const auto& status : routers->status()) counts.push_back(status.adverts.received);
    return counts;
  }
  [[nodiscard]] std::vector<std::uint64_t> of_others() const {
    std::vector<std::uint64_t> counts;
    for (const auto& status : routers->status())
      counts.push_back(status.adverts.rejected[std::to_underlying(vrrp::RejectReason::router_id)]);
    return counts;
  }
};

using Counts = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("virtual routers on one link receive by one socket, each what is for its own VRID") {
  World world;
  world.start();
  CHECK(world.host.opened == 2);
  world.hear(51, 150);
  world.hear(61, 150);
  world.hear(61, 150);
  world.pass(10ms);
  CHECK(world.received() == Counts{1, 0, 2, 0});
  CHECK(world.of_others() == Counts{0, 0, 0, 0});

  SECTION("what is for none of them is counted by each on that link") {
    world.hear(99, 150);
    world.hear(60, 150);  // of a link other than those of eth0 that have a router: also nobody's
    world.deliver(1, {.source = prefix("10.1.0.1/32").address, .destination = vrrp::multicast_group(net::Family::ipv4)},
                  {std::byte{0x31}});  // too short for a VRID
    world.pass(10ms);
    CHECK(world.of_others() == Counts{1, 1, 2, 2});
    CHECK(world.received() == Counts{1, 0, 2, 0});
  }
  SECTION("it stays until the last of them goes, and counts stay with who counted") {
    world.hear(53, 150);
    world.pass(10ms);
    world.specs.erase(world.specs.begin());
    world.routers->update(vrrp::prepare(world.host, world.specs, {}).value());
    world.hear(51, 150);
    world.hear(52, 150);
    world.pass(10ms);
    CHECK(world.received() == Counts{1, 2, 0});
    CHECK(world.of_others() == Counts{2, 0, 0});
    world.memory.set_carrier("eth0", false);
    world.pass(10ms);
    world.memory.set_carrier("eth0", true);
    world.pass(10ms);
    CHECK(world.host.opened == 3);
    world.hear(52, 150);
    world.pass(10ms);
    CHECK(world.received() == Counts{2, 2, 0});
    CHECK(world.of_others() == Counts{2, 0, 0});
  }
}

TEST_CASE("what a router of another socket takes is not counted as refused by those whose sockets hear it too") {
  World world;
  for (const std::size_t i : {0U, 2U}) {  // 51 and 61; 52 and 62 stay as they are
    const std::string net = i == 0 ? "10.0.0." : "10.1.0.";
    world.specs[i].unicast =
        vrrp::Unicast{.source = prefix(net + "2/32").address, .peers = {prefix(net + "1/32").address}};
  }
  world.start();
  CHECK(world.host.opened == 4);
  world.hear(51, 150, true);
  world.hear(61, 150, true);
  world.hear(52, 150);
  world.pass(10ms);
  CHECK(world.received() == Counts{1, 1, 1, 0});
  CHECK(world.of_others() == Counts{0, 0, 0, 0});
  world.hear(50, 150, true);  // on eth0; all but the socket that is bound to eth1 hear it
  world.hear(62, 150, true);  // has a router on eth1, but for multicast
  world.hear(51, 150);        // has one on eth0, but for unicast
  world.pass(10ms);
  CHECK(world.received() == Counts{1, 1, 1, 0});
  CHECK(world.of_others() == Counts{2, 2, 2, 0});
}

TEST_CASE("a farewell has the group's other links read first, and what came there for others is not lost") {
  World world;
  world.groups = {{"r51", "r61"}};
  world.start();
  for (int i = 0; i < 3; ++i) {
    for (const int router_id : {51, 61, 62, 52}) world.hear(router_id, 150);
    world.pass(100ms);
  }
  // The master resigns on both links, where it spoke on the second just before. r62's Master_Down_Timer runs out in the
  // turn in which its advert is read.
  world.hear(51, 0);
  world.hear(61, 150);
  world.hear(62, 150);
  world.pass(365ms);
  const auto status = world.routers->status();
  CHECK(status.at(0).state == vrrp::RouterState::master);
  CHECK(status.at(2).state == vrrp::RouterState::master);
  CHECK(status.at(3).state == vrrp::RouterState::backup);
  CHECK(world.received() == Counts{4, 3, 4, 4});
}
