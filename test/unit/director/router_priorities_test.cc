// Virtual routers with priorities of their own, as the director has them: who is next, and a reload that changes them.

#include <fmt/format.h>

#include "checkers/probe.h"
#include "director/engine/virtual_routers.h"
#include "net/memory_host.h"
#include "net/virtual_clock.h"
#include "shop.h"
#include "test/catch.h"
#include "vrrp/routers.h"

using namespace std::chrono_literals;

namespace {

/// lb1, which runs alone: lb2 and lb3 are of the file.
struct Director {
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  net::MemoryHost host{clock};
  config::Cluster cluster = director_test::shop();
  director::VirtualRouters routers{loop,
                                   host,
                                   {.not_ready = [] { return ""; },
                                    .below_quorum = [](const std::string&) { return false; },
                                    .table_lost = [] { return ""; },
                                    .report = [](const director::Event&) {},
                                    .resources_failed = [](const std::string&) { return ""; },
                                    .release = [](const std::string&, const std::function<void()>& then) { then(); },
                                    .on_transition = [](const vrrp::Transition&) {},
                                    .on_unrelieved = [](const std::string&) {},
                                    .on_peer_identity = [](const vrrp::Identity&, const net::Address&) {}},
                                   checkers::make_prober,
                                   {}};

  Director() {
    host.add_interface("eth0", {std::byte{2}});
    REQUIRE(host.add_address("eth0", *net::Prefix::parse("192.168.56.11/24")));
    for (const int number : {2, 3}) {
      cluster.nodes.push_back({.name = fmt::format("lb{}", number),
                               .address = *net::Address::parse(fmt::format("192.168.56.1{}", number))});
    }
    add("first", 51, {{"lb1", 150}, {"lb2", 100}, {"lb3", 120}});
    add("second", 52, {{"lb1", 50}, {"lb2", 150}});
    REQUIRE(routers.start(cluster, cluster.nodes[0], specs()));
    pass(5s);
  }

  void add(const char* name, std::uint8_t id, std::map<std::string, std::uint8_t> priorities) {
    auto& router = cluster.virtual_routers.emplace_back();
    router.name = name;
    router.router_id = id;
    for (const auto& node : cluster.nodes) router.interfaces[node.name] = "eth0";
    router.addresses = {*net::Prefix::parse(fmt::format("192.168.56.{}/24", 100 + id))};
    router.priorities = std::move(priorities);
  }

  [[nodiscard]] std::vector<vrrp::Spec> specs() const {
    std::vector<vrrp::Spec> all;
    for (const auto& router : cluster.virtual_routers) all.push_back(spec_for(cluster, router, cluster.nodes[0]));
    return all;
  }

  void pass(net::Duration time) {
    for (auto passed = 0ms; passed < time; passed += 50ms) {
      clock.advance_to(clock.now() + 50ms);
      for (int turn = 0; turn < 3; ++turn) REQUIRE(loop.turn({}));
    }
  }

  std::string answer(const char* router, const char* to) {
    const auto done = routers.hand_over(cluster, router, to);
    return done ? *done : done.error().message;
  }
};

}  // namespace

TEST_CASE("who is next in a failover follows from the virtual router's own priorities") {
  Director director;
  CHECK(director.answer("first", "lb2") ==
        "lb2 is not the next node by the priorities in the cluster file: that is lb3");
  CHECK(director.answer("second", "lb3") ==
        "lb3 is not the next node by the priorities in the cluster file: that is lb2");
  CHECK(director.answer("second", "lb2") ==
        "second: failover to lb2 requested; the role stays here if nobody takes over");
}

TEST_CASE("a reload changes a virtual router's priority, and its role stays where nobody is before it") {
  Director director;
  const auto before = director.routers.status();
  CHECK(before[0].priority == 150);
  CHECK(before[1].priority == 50);
  director.cluster.virtual_routers[0].priorities["lb1"] = 90;
  auto prepared = director.routers.prepare(director.cluster, director.cluster.nodes[0], director.specs());
  REQUIRE(prepared);
  director.routers.adopt(std::move(*prepared), director.cluster);
  director.pass(1s);
  const auto after = director.routers.status();
  CHECK(after[0].priority == 90);
  CHECK(after[0].state == vrrp::RouterState::master);
  CHECK(after[0].since == before[0].since);
  CHECK(after[1].since == before[1].since);
}
