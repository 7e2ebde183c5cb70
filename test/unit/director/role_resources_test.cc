// The units that follow the role, wired: by hand at first, then in a whole director.

#include "director/engine/role_resources.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "director/engine/engine.h"
#include "ipvs/memory_kernel.h"
#include "memory_units.h"
#include "net/memory_host.h"
#include "net/virtual_clock.h"
#include "shop.h"
#include "test/catch.h"
#include "vrrp/routers.h"

using namespace std::chrono_literals;
using director::UnitState;
using director_test::MemoryUnits;
using director_test::UnitsOfHost;
using vrrp::RouterState;
using Lines = std::vector<std::string>;

namespace {

config::Resource unit(const std::string& name, std::uint8_t restarts = 3) {
  return {.unit = name, .start_limit = 30s, .stop_limit = 20s, .restarts = restarts};
}

config::VirtualRouter router(const char* name, std::uint8_t id, std::vector<config::Resource> resources) {
  config::VirtualRouter made;
  made.name = name;
  made.router_id = id;
  made.interfaces = {{"lb1", "eth0"}, {"lb2", "eth0"}};
  made.addresses = {*net::Prefix::parse(fmt::format("192.168.56.{}/24", id))};
  made.preempt.allowed = false;
  made.resources = std::move(resources);
  return made;
}

/// A sync group with resources on both of its routers, and a router that has none.
config::Cluster cluster_of_three() {
  auto cluster = director_test::shop();
  cluster.virtual_routers = {router("front", 51, {unit("a.service")}), router("back", 52, {unit("b.service")}),
                             router("other", 53, {})};
  cluster.groups = {{"front", "back"}};
  return cluster;
}

struct Wired {
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  UnitsOfHost host;
  MemoryUnits* units = nullptr;
  std::vector<vrrp::Status> routers;
  Lines events;
  int failures_changed = 0;
  config::Cluster cluster = cluster_of_three();
  director::RoleResources resources{
      loop,
      {.routers = [this] { return routers; },
       .report = [this](const director::Event& event) { events.push_back(event.subject + ": " + event.text); },
       .on_failure_changed = [this] { ++failures_changed; }},
      [this](net::Loop& on, director::ServiceUnits::Callbacks callbacks) {
        auto made = std::make_unique<MemoryUnits>(on, host, std::move(callbacks));
        units = made.get();
        return made;
      }};

  void turn() {
    for (int i = 0; i < 8; ++i) REQUIRE(loop.turn({}));
  }
  void pass(net::Duration time) {
    clock.advance_to(clock.now() + time);
    turn();
  }
  void become(RouterState state) {
    for (const char* name : {"front", "back"})
      resources.on_transition({.router = name, .from = {}, .to = state, .reason = {}, .at = loop.now()});
    turn();
  }
  void hear(std::uint8_t priority) {
    vrrp::Status status;
    status.spec.name = "front";
    status.spec.advertise = 1s;
    status.state = RouterState::backup;
    status.peers = {{.address = {}, .priority = priority, .heard = clock.now()}};
    routers = {status};
  }
  Lines log() { return std::exchange(host.log, {}); }
};

}  // namespace

TEST_CASE("no resources: no service manager") {
  Wired wired;
  for (auto& each : wired.cluster.virtual_routers) each.resources.clear();
  wired.resources.set(wired.cluster);
  wired.become(RouterState::master);
  wired.pass(1h);
  CHECK(wired.units == nullptr);
  CHECK_FALSE(wired.loop.next_due());
  bool released = false;
  wired.resources.release_all([&] { released = true; });
  CHECK(released);
}

TEST_CASE("a group's resources follow its one role, in the order of its routers") {
  Wired wired;
  wired.resources.set(wired.cluster);
  wired.turn();
  CHECK(wired.units->watched() == std::set<std::string>{"a.service", "b.service"});
  CHECK(wired.log() == Lines{});
  wired.become(RouterState::master);
  CHECK(wired.log() == Lines{"start a.service", "start b.service"});
  CHECK(wired.events == Lines{"resource front/a.service: active: started here, where the role is",
                              "resource back/b.service: active: started here, where the role is"});
  const auto status = wired.resources.status("back", [](net::Instant) { return net::WallTime(); });
  REQUIRE(status.size() == 1);
  CHECK(status[0]["unit"] == "b.service");
  CHECK(status[0]["state"] == "active");
  wired.become(RouterState::backup);
  CHECK(wired.log() == Lines{"stop b.service", "stop a.service"});
  wired.resources.on_transition(
      {.router = "other", .from = {}, .to = RouterState::master, .reason = {}, .at = wired.loop.now()});
  wired.turn();
  CHECK(wired.log() == Lines{});
}

TEST_CASE("a master that went silent is given the time to stop its units; one that resigned is not") {
  for (const auto& [priority, wait] : {std::pair{150, 41s}, std::pair{0, 0s}}) {
    Wired wired;
    wired.resources.set(wired.cluster);
    wired.turn();
    wired.hear(static_cast<std::uint8_t>(priority));
    wired.pass(3s);
    wired.log();
    wired.become(RouterState::master);
    CHECK(wired.log() == (wait == 0s ? Lines{"start a.service", "start b.service"} : Lines{}));
    if (wait == 0s) continue;
    CHECK(wired.resources.problems().size() == 2);
    wired.pass(wait - 3s - 1ms);
    CHECK(wired.log() == Lines{});
    wired.pass(1ms);
    CHECK(wired.log() == Lines{"start a.service", "start b.service"});
    CHECK(wired.resources.problems().empty());
  }
}

TEST_CASE("what an earlier process left is stopped when another master is heard, and adopted by a master") {
  Wired wired;
  wired.host.states = {{"a.service", UnitState::active}, {"b.service", UnitState::active}};
  wired.resources.set(wired.cluster);
  wired.pass(30s);
  CHECK(wired.log() == Lines{});
  SECTION("another leads") {
    wired.hear(150);
    wired.pass(1s);
    CHECK(wired.log() == Lines{"stop b.service", "stop a.service"});
    wired.pass(1h);
    CHECK(wired.log() == Lines{});
  }
  SECTION("this one leads") {
    wired.become(RouterState::master);
    CHECK(wired.log() == Lines{});
    CHECK(wired.events.size() == 2);
  }
}

TEST_CASE("the role is released when its resources have stopped") {
  Wired wired;
  wired.resources.set(wired.cluster);
  wired.turn();
  wired.become(RouterState::master);
  wired.log();
  int released = 0;
  wired.resources.release("other", [&] { ++released; });
  CHECK(released == 1);  // it has none
  wired.host.hanging = {"b.service"};
  wired.resources.release("back", [&] { ++released; });
  wired.turn();
  CHECK(wired.log() == Lines{"stop b.service"});
  CHECK(released == 1);
  wired.pass(20s);
  CHECK(wired.log() == Lines{"stop a.service"});
  CHECK(released == 2);
  CHECK(wired.resources.problems().size() == 1);
  wired.host.states["b.service"] = UnitState::inactive;
  wired.units->tell();
  wired.resources.on_unrelieved("front");
  wired.turn();
  CHECK(wired.log() == Lines{"start a.service", "start b.service"});
}

TEST_CASE("a resource that keeps failing is a reason to give the role up, for a minute") {
  Wired wired;
  wired.cluster.virtual_routers[0].resources = {unit("a.service", 1)};
  wired.host.failing = {"a.service"};
  wired.resources.set(wired.cluster);
  wired.turn();
  wired.become(RouterState::master);
  CHECK(wired.log() == Lines{"start a.service"});
  CHECK(wired.resources.failure("front").empty());
  wired.pass(1s);
  CHECK(wired.log() == Lines{"start a.service"});
  CHECK(wired.failures_changed == 1);
  CHECK(wired.resources.failure("back") == "resource a.service: start: failed");
  CHECK(wired.resources.failure("other").empty());
  wired.become(RouterState::backup);
  wired.pass(60s);
  CHECK(wired.failures_changed == 2);
  CHECK(wired.resources.failure("back").empty());
}

TEST_CASE("a reload brings resources to a master, and takes them away without a stop") {
  Wired wired;
  const auto later = wired.cluster;
  for (auto& each : wired.cluster.virtual_routers) each.resources.clear();
  wired.resources.set(wired.cluster);
  wired.hear(0);
  wired.routers[0].state = RouterState::master;
  wired.resources.set(later);
  wired.turn();
  CHECK(wired.log() == Lines{"start a.service", "start b.service"});
  wired.resources.set(wired.cluster);
  wired.pass(1h);
  CHECK(wired.log() == Lines{});
  CHECK_FALSE(wired.loop.next_due());
}

TEST_CASE("a service manager that cannot be reached is told once, and a problem") {
  Wired wired;
  wired.host.reachable = false;
  wired.resources.set(wired.cluster);
  wired.turn();
  CHECK(wired.events.size() == 1);
  REQUIRE(wired.resources.problems().size() == 1);
  CHECK_THAT(wired.resources.problems()[0].reason, Catch::ContainsSubstring("Connection refused"));
  wired.host.reachable = true;
  wired.units->tell();
  CHECK(wired.events.size() == 2);
  CHECK(wired.resources.problems().empty());
}

namespace {

/// lb1 of two nodes, alone on its link.
struct Node {
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  net::MemoryHost host{clock};
  ipvs::MemoryKernel kernel;
  UnitsOfHost units;
  config::Cluster cluster = director_test::shop();
  std::unique_ptr<director::Engine> engine;

  Node() {
    host.add_interface("eth0", {std::byte{2}});
    REQUIRE(host.add_address("eth0", *net::Prefix::parse("192.168.56.11/24")));
    cluster.nodes.push_back({.name = "lb2", .address = *net::Address::parse("192.168.56.12")});
    cluster.services.clear();
    cluster.virtual_routers = {router("front", 51, {unit("a.service"), unit("b.service")})};
  }
  void start() {
    director::Options options{.node = cluster.nodes[0], .state_file = {}};
    options.make_units = [this](net::Loop& on, director::ServiceUnits::Callbacks callbacks) {
      return std::make_unique<MemoryUnits>(on, units, std::move(callbacks));
    };
    engine = std::make_unique<director::Engine>(loop, kernel, host, cluster, std::move(options));
    REQUIRE(engine->start());
  }
  void pass(net::Duration time) {
    for (auto passed = 0ms; passed < time; passed += 50ms) {
      clock.advance_to(clock.now() + 50ms);
      for (int turn = 0; turn < 3; ++turn) REQUIRE(loop.turn({}));
    }
  }
  [[nodiscard]] bool leads() const { return engine->routers().status()[0].state == RouterState::master; }
  [[nodiscard]] bool has_address() {
    return host.addresses().contains({"eth0", *net::Prefix::parse("192.168.56.51/24")});
  }
  Lines log() { return std::exchange(units.log, {}); }
};

}  // namespace

TEST_CASE("a director starts its resources with the role, and keeps them over a crash") {
  Node node;
  node.start();
  CHECK(node.log() == Lines{});
  node.pass(5s);
  REQUIRE(node.leads());
  CHECK(node.log() == Lines{"start a.service", "start b.service"});
  node.engine.reset();  // SIGKILL
  node.pass(1s);
  node.start();
  node.pass(5s);
  REQUIRE(node.leads());
  CHECK(node.log() == Lines{});
}

TEST_CASE("a failover stops the resources while the node still has the addresses; nobody takes over: all is back") {
  Node node;
  node.start();
  node.pass(5s);
  node.log();
  node.units.hanging = {"b.service"};
  REQUIRE(node.engine->hand_over("front", std::nullopt));
  node.pass(15s);
  CHECK(node.log() == Lines{"stop b.service"});
  CHECK(node.leads());
  CHECK(node.has_address());
  node.units.hanging.clear();
  node.units.states["b.service"] = UnitState::inactive;
  node.pass(6s);
  CHECK(node.log().front() == "stop a.service");
  node.pass(10s);
  CHECK(node.leads());
  CHECK(node.units.states["a.service"] == UnitState::active);
}

TEST_CASE("a stop of the director ends its resources first, then its addresses; without another node all stays") {
  for (const bool alone : {false, true}) {
    Node node;
    if (alone) {
      node.cluster.nodes.pop_back();
      node.cluster.virtual_routers[0].interfaces.erase("lb2");
    }
    node.start();
    node.pass(5s);
    REQUIRE(node.leads());
    node.log();
    node.units.hanging = {"b.service"};
    bool stopped = false;
    node.engine->stop([&] { stopped = true; });
    node.pass(alone ? 2s : 15s);
    CHECK(stopped == alone);
    CHECK(node.has_address() == !alone);
    node.pass(25s);
    CHECK(stopped);
    CHECK_FALSE(node.has_address());
    CHECK(node.log() == (alone ? Lines{} : Lines{"stop b.service", "stop a.service"}));
  }
}

TEST_CASE("a node whose resources fail gives the role up, and where nobody takes it tries again after a minute") {
  Node node;
  node.cluster.virtual_routers[0].resources = {unit("a.service", 0)};
  node.units.failing = {"a.service"};
  node.start();
  node.pass(10s);
  CHECK(node.leads());
  CHECK(node.engine->routers().status()[0].priority == 1);
  CHECK(node.engine->routers().status()[0].standby_reason == "resource a.service: start: failed");
  CHECK(node.log() == Lines{"start a.service"});
  node.units.failing.clear();
  node.pass(60s);
  CHECK(node.engine->routers().status()[0].priority == 150);
  CHECK(node.log() == Lines{"start a.service"});
  CHECK(node.units.states["a.service"] == UnitState::active);
}

TEST_CASE("a tracker's fault takes the role away when the resources have stopped") {
  for (const bool mended : {false, true}) {
    Node node;
    node.host.add_interface("eth1", {std::byte{3}});
    node.cluster.virtual_routers[0].trackers = {{.name = "uplink", .link = "eth1"}};
    node.start();
    node.pass(5s);
    REQUIRE(node.leads());
    node.log();
    node.units.hanging = {"b.service"};
    node.host.set_carrier("eth1", false);
    node.pass(15s);
    CHECK(node.leads());
    CHECK(node.log() == Lines{"stop b.service"});
    node.units.hanging.clear();
    if (mended) node.host.set_carrier("eth1", true);
    node.pass(10s);
    CHECK(node.leads() == mended);
    CHECK(node.units.states["a.service"] == (mended ? UnitState::active : UnitState::inactive));
  }
}
