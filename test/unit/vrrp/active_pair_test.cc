// Two nodes with two virtual routers, each led by another one (active/active): what happens to one says nothing of the
// other's.

#include <fmt/format.h>

#include <deque>
#include <map>
#include <optional>

#include "test/catch.h"
#include "test/unit/vrrp/node.h"

using namespace std::chrono_literals;
using vrrp_test::address;
using vrrp_test::prefix;

namespace {

struct Packet {
  std::string interface;
  net::Address source, destination;
  std::vector<std::byte> payload;
};

/// 10.0.0.1 or 10.0.0.2 on eth0, 10.1.0.1 or 10.1.0.2 on eth1.
struct ActiveNode : vrrp_test::Node {
  explicit ActiveNode(int number) : name(fmt::format("lb{}", number)) {
    for (const int link : {0, 1}) {
      const auto interface = fmt::format("eth{}", link);
      host.add_interface(interface, {std::byte{2}, std::byte{}, std::byte{}, std::byte{}, static_cast<std::byte>(link),
                                     static_cast<std::byte>(number)});
      REQUIRE(host.add_address(interface, prefix(fmt::format("10.{}.0.{}/24", link, number))));
    }
    host.on_send = [this](const std::string& interface, const net::RawSocket::Packet& packet) {
      sent.push_back({.interface = interface,
                      .source = packet.source,
                      .destination = packet.destination,
                      .payload = {packet.payload.begin(), packet.payload.end()}});
    };
  }

  void on_transition(const vrrp::Transition& transition) override {
    changes += fmt::format("{} {}, ", transition.router, to_string(transition.to));
  }

  [[nodiscard]] bool holds(const char* of) {
    const auto all = host.addresses();
    return std::ranges::any_of(all, [&](const auto& each) { return each.second == prefix(of); });
  }

  std::string name;
  std::string changes;
  std::vector<Packet> sent;
};

struct ActivePair {
  std::deque<ActiveNode> nodes;
  vrrp::Groups groups;
  std::vector<vrrp::Spec> wanted;  ///< as node 1 has them; node 2 has the priorities the other way round
  ActiveNode &lb1, &lb2;

  ActivePair() : lb1(nodes.emplace_back(1)), lb2(nodes.emplace_back(2)) {
    wanted = {router("one", 51, "eth0", "10.0.0.100/24", 150, 100),
              router("two", 52, "eth0", "10.0.0.200/24", 100, 150)};
  }

  static vrrp::Spec router(const char* name, std::uint8_t id, const char* interface, const char* of, int own,
                           int peers) {
    vrrp::Spec spec;
    spec.name = name;
    spec.router_id = id;
    spec.interface = interface;
    spec.addresses = {prefix(of)};
    spec.advertise = 100ms;
    spec.priority = static_cast<std::uint8_t>(own);
    spec.peer_priorities = {static_cast<std::uint8_t>(peers)};
    return spec;
  }

  void start(ActiveNode& node) {
    auto specs = wanted;
    for (auto& spec : specs) {
      if (&node == &lb2) std::swap(spec.priority, spec.peer_priorities.front());
      spec.peer_addresses = {address(&node == &lb1 ? "10.0.0.2" : "10.0.0.1")};
    }
    auto prepared = vrrp::prepare(node.host, std::move(specs), groups);
    REQUIRE(prepared);
    auto started = vrrp::Routers::start(node.loop, node.host, std::move(*prepared), node, {});
    REQUIRE(started);
    node.routers = std::move(*started);
  }

  void pass(net::Duration time) {
    for (auto passed = 0ms; passed < time; passed += 5ms) {
      for (auto& node : nodes) {
        for (const auto& packet : std::exchange(node.sent, {})) {
          auto& other = &node == &lb1 ? lb2 : lb1;
          other.host.deliver(
              packet.interface,
              {.source = packet.source, .destination = packet.destination, .ttl = 255, .payload = packet.payload});
        }
      }
      for (auto& node : nodes) {
        node.clock.advance_to(node.clock.now() + 5ms);
        for (int turn = 0; turn < 3 && node.routers; ++turn) REQUIRE(node.loop.turn({}));
        node.host.expire();
      }
    }
  }

  /// "one master, two backup, " and so on, of those that run.
  static std::string roles(const ActiveNode& node) {
    std::string all;
    if (!node.routers) return "not running";
    for (const auto& status : node.routers->status())
      all += fmt::format("{} {}, ", status.spec.name, to_string(status.state));
    return all;
  }

  /// Both run, and each leads its own.
  void begin() {
    start(lb1);
    start(lb2);
    pass(1s);
    forget();
  }
  void forget() { lb1.changes = lb2.changes = ""; }
};

constexpr auto first_leads = "one master, two backup, ";
constexpr auto second_leads = "one backup, two master, ";

}  // namespace

TEST_CASE("each node of an active pair leads its own virtual router") {
  ActivePair pair;
  pair.begin();
  CHECK(pair.roles(pair.lb1) == first_leads);
  CHECK(pair.roles(pair.lb2) == second_leads);
  CHECK(pair.lb1.holds("10.0.0.100/24"));
  CHECK_FALSE(pair.lb1.holds("10.0.0.200/24"));
  CHECK(pair.lb2.holds("10.0.0.200/24"));
  CHECK_FALSE(pair.lb2.holds("10.0.0.100/24"));
  const auto status = pair.lb1.routers->status();
  CHECK(status[0].priority == 150);
  CHECK(status[1].priority == 100);
}

TEST_CASE("a crash and its end move only what the node leads") {
  ActivePair pair;
  pair.begin();
  pair.lb1.routers.reset();
  pair.pass(400ms);  // three intervals, and Skew_Time
  CHECK(pair.lb2.changes == "one master, ");
  pair.pass(1s);
  pair.forget();
  pair.start(pair.lb1);
  pair.pass(1s);
  CHECK(pair.lb1.changes == "one backup, two backup, one master, ");
  CHECK(pair.lb2.changes == "one backup, ");
  CHECK(pair.lb1.holds("10.0.0.100/24"));
  CHECK_FALSE(pair.lb2.holds("10.0.0.100/24"));
  CHECK(pair.lb2.holds("10.0.0.200/24"));
}

TEST_CASE("a stop hands over only what the node leads") {
  ActivePair pair;
  pair.begin();
  pair.lb2.routers->stop();
  pair.pass(20ms);  // it is known to be next: nobody waits
  CHECK(pair.lb1.changes == "two master, ");
  pair.pass(1s);
  CHECK(pair.lb1.changes == "two master, ");
  CHECK(pair.lb2.changes == "one initialize, two initialize, ");
}

TEST_CASE("a failover moves one virtual router, and the other stays") {
  ActivePair pair;
  pair.begin();
  CHECK_FALSE(pair.lb1.routers->hand_over("two"));
  REQUIRE(pair.lb1.routers->hand_over("one"));
  pair.pass(1s);
  CHECK(pair.lb1.changes == "one backup, ");
  CHECK(pair.lb2.changes == "one master, ");
  REQUIRE(pair.lb2.routers->hand_over("one"));
  pair.pass(1s);
  CHECK(pair.roles(pair.lb1) == first_leads);
  CHECK(pair.roles(pair.lb2) == second_leads);
}

TEST_CASE("a penalty and a demotion act on the virtual router's own priority") {
  ActivePair pair;
  pair.begin();
  pair.lb1.routers->set_priority_penalty("one", 40, "a test");
  pair.lb1.routers->set_priority_penalty("two", 40, "a test");
  pair.pass(1s);
  CHECK(pair.lb1.routers->status()[0].priority == 110);
  CHECK(pair.lb1.routers->status()[1].priority == 60);
  CHECK(pair.lb1.changes + pair.lb2.changes == "");
  pair.lb1.routers->set_priority_penalty("one", 60, "a test");
  pair.pass(1s);
  CHECK(pair.lb1.changes == "one backup, ");
  CHECK(pair.lb2.changes == "one master, ");
  pair.lb1.routers->set_priority_penalty("one", 0, "a test");
  pair.pass(1s);
  pair.forget();
  pair.lb2.routers->demote("two", "web is below its quorum");
  pair.pass(1s);
  CHECK(pair.lb1.changes == "two master, ");
  CHECK(pair.lb2.changes == "two backup, ");
  CHECK(pair.lb2.routers->status()[0].priority == 100);
}

TEST_CASE("two groups of an active pair move apart, each as a whole") {
  ActivePair pair;
  pair.wanted = {ActivePair::router("one", 51, "eth0", "10.0.0.100/24", 150, 100),
                 ActivePair::router("gate-one", 53, "eth1", "10.1.0.100/24", 150, 100),
                 ActivePair::router("two", 52, "eth0", "10.0.0.200/24", 100, 150),
                 ActivePair::router("gate-two", 54, "eth1", "10.1.0.200/24", 100, 150)};
  pair.groups = {{"one", "gate-one"}, {"two", "gate-two"}};
  pair.begin();
  CHECK(pair.roles(pair.lb1) == "one master, gate-one master, two backup, gate-two backup, ");
  CHECK(pair.roles(pair.lb2) == "one backup, gate-one backup, two master, gate-two master, ");
  pair.lb1.host.set_carrier("eth1", false);  // of both groups: it can lead neither
  pair.pass(1s);
  CHECK(pair.lb1.changes == "one initialize, gate-one initialize, two initialize, gate-two initialize, ");
  CHECK(pair.lb2.changes == "one master, gate-one master, ");
  pair.forget();
  pair.lb1.host.set_carrier("eth1", true);
  pair.pass(1s);
  CHECK(pair.roles(pair.lb1) == "one master, gate-one master, two backup, gate-two backup, ");
  CHECK(pair.lb2.changes == "one backup, gate-one backup, ");
}
