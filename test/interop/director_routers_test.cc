// The director with its virtual routers, on the kernel's own network: what a reload makes of them, and that one which
// fails makes nothing of them.

#include <sys/resource.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/load.h"
#include "director/control/status.h"
#include "director/engine/engine.h"
#include "director/engine/reloader.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "test/catch.h"
#include "test/interop/vrrp/ear.h"
#include "test/interop/vrrp/node.h"
#include "test/unit/director/scratch.h"

using director::Engine;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

namespace {

config::Node node(std::uint8_t priority) {
  return {.name = "lb1", .address = lab::address("10.0.0.1"), .priority = priority};
}

config::VirtualRouter router(const std::string& name, std::uint8_t router_id) {
  config::VirtualRouter made;
  made.name = name;
  made.router_id = router_id;
  made.interfaces = {{"lb1", "eth0"}};
  made.addresses = {lab::prefix("10.0.0." + std::to_string(100 + router_id) + "/24")};
  made.advertise = 100ms;
  return made;
}

config::Service service(const std::string& name, std::uint16_t port) {
  config::Service made;
  made.name = name;
  made.key = {
      .protocol = ipvs::Protocol::tcp, .endpoint = {.address = lab::address("10.0.0.101"), .port = port}, .fwmark = 0};
  made.spec.scheduler = "rr";
  made.quorum.regain = made.quorum.below;
  made.servers = {{.name = "w1", .endpoint = {.address = lab::address("10.0.0.3"), .port = port}}};
  return made;
}

config::Tracker tracked(const std::string& link, std::uint8_t lower = 0) {
  return {.name = link, .link = link, .check = {}, .lower = lower};
}

/// lb1 on a network, with a neighbour: nobody else speaks VRRP there.
struct World {
  lab::Topology topology;
  lab::Host& host = topology.add_host("lb1");
  lab::Host& neighbour = topology.add_host("client");
  std::optional<lab::Within> within;
  director_test::Scratch scratch;
  config::Cluster cluster;
  ipvs::MemoryKernel kernel;
  net::KernelHost real;
  net::Loop loop = net::Loop::create().value();
  std::unique_ptr<Engine> director;
  std::optional<Ear> ear;

  World() {
    topology.add_network("lan");
    topology.connect(host, "lan", "eth0", {"10.0.0.1/24"});
    topology.connect(neighbour, "lan", "eth0", {"10.0.0.3/24"});
    ear.emplace(neighbour);
    within.emplace(host.network);
    cluster.name = "shop";
    cluster.nodes = {node(150)};
    cluster.virtual_routers = {router("front", 1)};
    cluster.services = {service("web", 80)};
  }

  void start() {
    director = std::make_unique<Engine>(
        loop, kernel, real, cluster,
        director::Options{.node = cluster.nodes[0], .state_file = scratch.path / "state.json"});
    if (auto started = director->start(); !started) FAIL(started.error().message);
  }

  net::Result<> reload() {
    auto node_config = director::make_node_config(cluster, cluster.nodes[0]);
    if (!node_config) return std::unexpected(node_config.error());
    return director->reload(std::move(*node_config), "a test");
  }

  template <class Condition>
  [[nodiscard]] bool until(Condition holds, net::Duration time = 5s) {
    const auto limit = net::monotonic_now() + time;
    while (!holds() && net::monotonic_now() < limit) REQUIRE(loop.turn(10ms));
    return holds();
  }
  void pass(net::Duration time) {
    std::ignore = until([] { return false; }, time);
  }

  [[nodiscard]] bool leads(std::size_t router, std::uint8_t priority) const {
    const auto status = director::vrrp_status(*director)["vrrp"][router];
    return status["state"] == "master" && status["priority"] == priority;
  }

  /// All that it says of itself, and what the next life would read.
  [[nodiscard]] std::string all() const {
    std::stringstream text;
    text << director::status(*director).dump(1) << director::vrrp_status(*director).dump(1)
         << director::events_status(*director).dump(1) << std::ifstream(scratch.path / "state.json").rdbuf();
    return text.str();
  }
};

/// While it lives, this process can open so many more descriptors.
class FewDescriptors {
 public:
  explicit FewDescriptors(std::size_t more) {
    std::vector<net::Fd> taken;
    int highest = 2;
    for (; more > 0; --more) {
      taken.emplace_back(lab::must(::dup(0), "dup"));
      highest = std::max(highest, taken.back().get());
    }
    lab::must(::getrlimit(RLIMIT_NOFILE, &before_), "getrlimit");
    // Where none may be opened, no number below the limit is free.
    const auto limit = taken.empty() ? rlim_t{0} : static_cast<rlim_t>(highest) + 1;
    const rlimit few{.rlim_cur = limit, .rlim_max = before_.rlim_max};
    lab::must(::setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a reload that fails, for want of any descriptor or of a secret, has changed nothing") {
  World world;
  world.start();
  REQUIRE(world.until([&] { return world.leads(0, 150); }));
  world.pass(200ms);
  world.cluster.nodes = {node(200)};
  world.cluster.virtual_routers = {router("face", 1), router("back", 2)};
  world.cluster.virtual_routers[0].trackers = {tracked("eth0", 10), tracked("eth9")};
  world.cluster.virtual_routers[1].give_up_when = {"mail"};
  world.cluster.services = {service("web", 80), service("mail", 25)};
  world.cluster.services[0].checks = {
      {.kind = checkers::Tcp{}, .interval = 10s, .timeout = 9s, .thresholds = {}, .path = {.via_vip = true}}};

  SECTION("a secret") {
    world.cluster.virtual_routers[0].authentication = {.keys = world.scratch.path / "no-keys"};
    const auto before = world.all();
    CHECK_FALSE(world.reload());
    CHECK(world.all() == before);
  }
  SECTION("a descriptor") {
    std::set<std::string> errors;
    for (std::size_t descriptors = 0; descriptors < 20; ++descriptors) {
      const auto before = world.all();
      net::Result<> reloaded;
      {
        const FewDescriptors few(descriptors);
        reloaded = world.reload();
      }
      INFO("with " << descriptors << " descriptors");
      if (reloaded) break;
      INFO(reloaded.error().message);
      CHECK(world.all() == before);
      errors.insert(reloaded.error().message);
    }
    CHECK(errors.size() > 1);  // it was tried at several places; the state file is no longer one of them
    CHECK(director::status(*world.director)["vrrp"][0]["name"] == "face");
    return;
  }
  world.pass(300ms);
  CHECK(world.leads(0, 150));
  for (const auto& advert : world.ear->heard()) CHECK((advert.priority == 150 && advert.router_id == 1));
}

TEST_CASE("a reload lets no advert out that the new file forbids, nor one that the old file did") {
  World world;
  auto& web = world.cluster.services[0];
  web.checks = {{.kind = checkers::Tcp{},
                 .interval = 10s,
                 .timeout = 9s,
                 .thresholds = {.rise = 1, .fall = 1},
                 .address = lab::address("127.0.0.1"),
                 .port = 9}};
  auto& front = world.cluster.virtual_routers[0];

  SECTION("the service that is below its quorum has another name") {
    front.give_up_when = {"web"};
    world.start();
    REQUIRE(world.until([&] { return world.leads(0, 1); }));
    front.give_up_when = {"www"};
    web.name = "www";
  }
  SECTION("the new file is the first to ask for it, and has another priority") {
    world.start();
    REQUIRE(world.until([&] {
      return world.leads(0, 150) && director::status(*world.director)["services"][0]["servers"][0]["health"] == "down";
    }));
    front.give_up_when = {"web"};
    world.cluster.nodes = {node(200)};
  }
  SECTION("a link that is not there takes most of a new priority") {
    world.start();
    REQUIRE(world.until([&] { return world.leads(0, 150); }));
    front.trackers = {tracked("eth9", 199)};
    world.cluster.nodes = {node(200)};
  }
  world.pass(200ms);
  const auto before = world.ear->heard().size();
  REQUIRE(world.reload());
  world.pass(300ms);
  CHECK(world.leads(0, 1));
  const auto& heard = world.ear->heard();
  REQUIRE(heard.size() > before);
  for (std::size_t i = before; i < heard.size(); ++i) {
    // The farewell, if it led by the old file, and then what the new one lets it say.
    CHECK((heard[i].priority == 1 || heard[i].priority == 0));
  }
}

TEST_CASE("a reload takes the keys as they are now, though the cluster file is the same") {
  World world;
  const auto file = world.scratch.path / "cluster.yaml", keys = world.scratch.path / "keys";
  const auto write_keys = [&](const std::string& text) {
    std::filesystem::remove(keys);
    std::ofstream(keys) << text;
    std::filesystem::permissions(keys, std::filesystem::perms::owner_read);
  };
  std::ofstream(file)
      << "cluster: shop\nnodes: { lb1: { address: 10.0.0.1, priority: 150 } }\n"
         "vrrp: { front: { router_id: 1, interface: eth0, addresses: [10.0.0.101/24], advertise: 100ms, "
         "authentication: { keys: "
      << keys.string() << " } } }\n";
  write_keys("1 the first key of all\n");
  auto loaded = config::load(file);
  REQUIRE(loaded);
  world.cluster = loaded->cluster;
  world.start();
  auto reloader =
      director::Reloader::create(world.loop, *world.director, {.file = file, .node = "lb1", .host_name = {}},
                                 std::move(loaded->cache), {})
          .value();
  const auto reload = [&] {
    std::optional<std::string> answer;
    reloader->reload(false, "the test",
                     [&](const auto& done) { answer = done ? to_string(done->change) : done.error().why; });
    REQUIRE(world.until([&] { return answer.has_value(); }));
    return *answer;
  };

  // One that believes the second key alone leads beside lb1 until lb1 signs with that.
  auto other = spec("front", 1, 100, "10.0.0.101/24");
  other.signing = vrrp::Signing{.mode = vrrp::SigningMode::enforce, .keys = {{2, "the second key of all"}}};
  Node neighbour(world.neighbour, {other});
  neighbour.start();
  const auto both = [&](auto holds) {
    return world.until([&] {
      neighbour.turn();
      return holds();
    });
  };
  REQUIRE(both([&] { return neighbour.is_master() && world.leads(0, 150); }));
  write_keys("no key\n");
  CHECK_THAT(reload(), Catch::ContainsSubstring(keys.string()));
  write_keys("2 the second key of all\n");
  CHECK(reload() == "no changes");
  CHECK(both([&] { return neighbour.state() == vrrp::RouterState::backup; }));
  CHECK(world.leads(0, 150));
}

TEST_CASE("when the last check via: vip leaves the file, its settings and problems do too") {
  World world;
  const auto accept_local = [] {
    std::string value;
    std::ifstream("/proc/sys/net/ipv4/conf/eth0/accept_local") >> value;
    return value;
  };
  auto elsewhere = service("elsewhere", 80);
  elsewhere.key.endpoint.address = lab::address("203.0.113.1");  // no route leads there
  world.cluster.services.push_back(elsewhere);
  for (auto& each : world.cluster.services) {
    each.checks = {
        {.kind = checkers::Tcp{}, .interval = 10s, .timeout = 9s, .thresholds = {}, .path = {.via_vip = true}}};
  }
  world.start();
  CHECK(accept_local() == "1");
  CHECK_FALSE(director::status(*world.director)["problems"].empty());
  for (auto& each : world.cluster.services) each.checks.clear();
  REQUIRE(world.reload());
  CHECK(accept_local() == "0");
  CHECK(director::status(*world.director)["problems"].empty());
}

TEST_CASE("a fault goes with the tracker that found it, whatever else a reload changes") {
  World world;
  auto& routers = world.cluster.virtual_routers;
  routers[0].trackers = {tracked("eth9")};

  SECTION("the router has another name") {
    world.start();
    world.pass(200ms);
    CHECK(director::vrrp_status(*world.director)["vrrp"][0]["reason"] == "eth9: there is no interface eth9");
    routers = {router("face", 1)};
  }
  SECTION("the router with the fault leaves the group") {
    routers.insert(routers.begin(), router("back", 2));
    world.cluster.groups = {{"back", "front"}};
    world.start();
    world.pass(200ms);
    CHECK(director::vrrp_status(*world.director)["vrrp"][0]["reason"] == "eth9: there is no interface eth9");
    world.cluster.groups.clear();
  }
  REQUIRE(world.reload());
  CHECK(world.until([&] { return world.leads(0, 150); }));
}
