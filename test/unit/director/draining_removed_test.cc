// What is in the kernel and not in the cluster file: found at any time, kept over restarts, and never cut short.

#include <nlohmann/json.hpp>

#include "director/control/status.h"
#include "director/engine/engine.h"
#include "durability.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

using director::Engine;
using director_test::at;
using Fault = ipvs::MemoryKernel::Fault;
using namespace std::chrono_literals;

namespace {

const ipvs::ServiceKey web_key = director_test::web().key;
constexpr auto web2 = "192.168.200.12:80", stranger = "192.168.200.99:80";

struct World {
  director_test::Scratch scratch;
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  const director::Options options{
      .node = director_test::lb1(), .state_file = scratch.path / "state.json", .dry_run = true};
  std::unique_ptr<Engine> director;

  void start(const config::Cluster& cluster = director_test::shop()) {
    director = std::make_unique<Engine>(loop, kernel, host, cluster, options);
    REQUIRE(director->start());
  }

  template <class Condition>
  [[nodiscard]] bool until(Condition holds) {
    const auto limit = net::monotonic_now() + 10s;
    while (!holds() && net::monotonic_now() < limit) REQUIRE(loop.turn(100ms));
    return holds();
  }

  /// Somebody else adds a server, with a connection.
  void add_stranger() { destinations()[at(stranger)].active = 1; }

  [[nodiscard]] std::map<ipvs::DestinationKey, ipvs::DestinationStatus>& destinations() {
    return kernel.table.at(web_key).destinations;
  }
  /// In the kernel, without new connections.
  [[nodiscard]] bool drains(const char* server) {
    const auto found = destinations().find(at(server));
    return found != destinations().end() && found->second.destination.weight == 0;
  }
  /// What the next life would know.
  [[nodiscard]] director::Drains saved() {
    std::ignore = director_test::told_durable(loop, director->store());
    const auto state = director::load_state(*options.state_file);
    return state ? state->draining_removed : director::Drains{};
  }
};

}  // namespace

TEST_CASE("what is found when a service is read again drains over restarts, with the deadline that it had") {
  World world;
  world.start();
  world.kernel.faults = {Fault::lost_reply};
  REQUIRE(world.director->overrides().set_weight("web", "web1", 5));  // not known to be done: the service is read again
  world.add_stranger();
  REQUIRE(world.until([&] { return world.drains(stranger); }));
  const auto saved = world.saved();
  REQUIRE(saved.size() == 1);
  CHECK(saved.begin()->first == director::DrainKey(web_key, at(stranger)));
  world.director.reset();
  world.start();
  CHECK(world.drains(stranger));
  CHECK(world.saved() == saved);
}

TEST_CASE("a service that could not be read again is not written by what was known of it before") {
  World world;
  world.start();
  world.kernel.faults = {Fault::lost_reply, Fault::interrupted_dump};
  REQUIRE(world.director->overrides().set_weight("web", "web1", 5));
  world.add_stranger();
  REQUIRE(world.until([&] { return world.kernel.faults.empty(); }));
  CHECK(world.destinations().contains(at(stranger)));
  CHECK(director::status(*world.director)["problems"].size() == 1);
  CHECK(world.until([&] { return world.drains(stranger); }));
  CHECK(director::status(*world.director)["problems"].empty());
}

TEST_CASE("a drained server leaves the table when its time is up, though its connections went long before") {
  World world;
  world.start();
  REQUIRE(world.director->overrides().drain("web", "web1", "", 2s));
  const auto told = [&] {
    return director::events_status(*world.director).dump().contains("drain complete: no connections left");
  };
  CHECK(world.until(told));
  CHECK(world.drains("192.168.200.11:80"));
  CHECK(world.until([&] { return !world.destinations().contains(at("192.168.200.11:80")); }));
}

TEST_CASE("what drains keeps its connections though the disk does not take it, and is saved as soon as it does") {
  World world;
  world.start();
  world.destinations().at(at(web2)).active = 1;
  std::filesystem::remove_all(world.scratch.path);
  auto cluster = director_test::shop();
  cluster.services[0].servers.pop_back();
  REQUIRE(world.director->reload({.cluster = cluster, .node = world.options.node}, "a test"));
  CHECK(world.drains(web2));
  REQUIRE(world.until([&] { return director::status(*world.director)["problems"].size() == 1; }));
  CHECK(director::status(*world.director)["problems"][0].get<std::string>().ends_with(
      "No such file or directory; a restart would lose the latest drains and weights"));
  std::filesystem::create_directory(world.scratch.path);
  CHECK(world.until([&] { return world.saved().size() == 1; }));
  CHECK(director::status(*world.director)["problems"].empty());
}
