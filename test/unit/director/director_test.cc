#include "director/control/status.h"
#include "director/engine/engine.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "world.h"

using director::Engine;
using director_test::at;
using director_test::web1;
using director_test::web_key;
using director_test::World;

TEST_CASE("a cluster without checks is in the kernel once the director has started") {
  World world;
  const auto director = world.director();
  CHECK(world.weight(web1) == 3);
  CHECK(world.weight("192.168.200.12:80") == 1);
  CHECK(world.kernel.table.at(web_key).service.scheduler == "wrr");
}

TEST_CASE("a drain reaches the kernel at once, is shown, and is remembered by the next life") {
  World world;
  {
    const auto director = world.director();
    REQUIRE(director->overrides().drain("web", "web1", "disk"));
    CHECK(world.weight(web1) == 0);
    const auto server = director::status(*director)["services"][0]["servers"][0];
    CHECK(server["drained"] == true);
    CHECK(server["effective_weight"] == 0);
    CHECK(server["reason"].get<std::string>().ends_with("(disk)"));
  }  // killed: nothing is said, nothing is cleaned up
  const auto next = world.director();
  CHECK(world.weight(web1) == 0);
  REQUIRE(next->overrides().undrain("web", "web1"));
  CHECK(world.weight(web1) == 3);
  world.rest(*next);
  CHECK(director::status(*world.director())["services"][0]["servers"][0]["drained"] == false);
}

TEST_CASE("an idle service that left the file goes with the next start; an alien one is left alone") {
  World world;
  world.director();
  ipvs::ServiceKey alien = web_key;
  alien.endpoint.port = 8080;
  world.kernel.table[alien].service.scheduler = "rr";

  auto cluster = director_test::shop();
  cluster.services[0].key.endpoint.port = 81;
  const auto director = world.director(cluster);
  world.settle();
  CHECK_FALSE(world.kernel.table.contains(web_key));
  CHECK(world.kernel.table.contains(cluster.services[0].key));
  CHECK(world.kernel.table.contains(alien));
  CHECK(world.saved(*director).owned == std::set{cluster.services[0].key});
}

TEST_CASE(
    "a server that left the file with connections takes no new ones, and goes when they have gone, over restarts") {
  World world;
  world.director();
  auto& held = world.kernel.table.at(web_key).destinations;
  held.at(at("192.168.200.12:80")).active = 2;
  auto cluster = director_test::shop();
  cluster.services[0].servers.pop_back();
  world.director(cluster);
  CHECK(world.weight("192.168.200.12:80") == 0);

  const auto director = world.director(cluster);
  world.settle();
  CHECK(world.weight("192.168.200.12:80") == 0);
  CHECK(world.weight(web1) == 3);

  held.at(at("192.168.200.12:80")).active = 0;
  world.turn_until([&] { return held.size() == 1; });
  CHECK(world.kernel.orphaned() == 0);
  CHECK(world.saved(*director).draining_removed.empty());
}

TEST_CASE("a service that left the file goes after its last connection") {
  World world;
  world.director();
  world.kernel.table.at(web_key).destinations.at(at(web1)).inactive = 1;
  auto cluster = director_test::shop();
  cluster.services.clear();
  const auto director = world.director(cluster);
  world.settle();
  CHECK(world.kernel.table.at(web_key).destinations.size() == 1);
  CHECK(world.weight(web1) == 0);
  world.kernel.table.at(web_key).destinations.at(at(web1)).inactive = 0;
  world.turn_until([&] { return world.kernel.table.empty(); });
}

TEST_CASE("a server that comes back into the file while it drains takes part again") {
  World world;
  world.director();
  world.kernel.table.at(web_key).destinations.at(at(web1)).active = 1;
  auto cluster = director_test::shop();
  cluster.services[0].servers.erase(cluster.services[0].servers.begin());
  world.director(cluster);
  CHECK(world.weight(web1) == 0);
  const auto director = world.director();
  CHECK(world.weight(web1) == 3);
  CHECK(world.saved(*director).draining_removed.empty());
}

TEST_CASE("a checked server waits without traffic for its first check result") {
  World world;
  auto cluster = director_test::shop();
  cluster.services[0].checks = {checkers::Spec{}};
  const auto director = world.director(cluster);
  CHECK(world.weight(web1) == 0);
  CHECK(director::status(*director)["services"][0]["servers"][0]["health"] == "unknown");
}

TEST_CASE("a damaged state is told in the journal and does not keep the director from starting") {
  World world;
  {
    REQUIRE(director::save_state(world.scratch.path / "state.json", {}));
  }
  std::filesystem::resize_file(world.scratch.path / "state.json", 5);
  const auto director = world.director();
  CHECK(world.weight(web1) == 3);
  CHECK(director::events_status(*director)["events"][0]["text"].get<std::string>().find("damaged state") !=
        std::string::npos);
  CHECK(world.saved(*director).owned == std::set{web_key});
  CHECK(std::filesystem::exists(world.scratch.path / "state.json.damaged"));
  CHECK(director::status(*director)["problems"].size() == 1);
}

TEST_CASE("a state in a later form than this one knows is put aside whole, for the version that wrote it") {
  World world;
  const auto file = world.scratch.path / "state.json";
  const std::string later = R"({"version":3,"orders":{"web/web1":{"drain":{"since":1,"reason":""}}}})";
  std::ofstream(file) << later;
  const auto director = world.director();
  CHECK(world.weight(web1) == 3);
  std::ifstream aside(file.string() + ".damaged");
  CHECK(std::string(std::istreambuf_iterator<char>(aside), {}) == later);
  REQUIRE(director::status(*director)["problems"].size() == 1);
  CHECK(
      director::status(*director)["problems"][0].get<std::string>().contains(file.string() + ": state file version 3"));
}

TEST_CASE("a service that the kernel refuses does not hold up another") {
  World world;
  auto cluster = director_test::shop();
  cluster.services.push_back(director_test::web());
  cluster.services[1].name = "odd";
  cluster.services[1].key.endpoint.port = 81;
  cluster.services[1].spec.scheduler = "odd";
  const auto director = world.director(cluster);
  CHECK(director::status(*director)["problems"].size() == 1);
  REQUIRE(director->overrides().drain("web", "web1", ""));
  CHECK(world.weight(web1) == 0);
  CHECK(director::status(*director)["problems"].size() == 1);
}

TEST_CASE("a service that is gone from the file and from the kernel is nobody's") {
  World world;
  world.director();
  world.kernel.table.clear();  // somebody took it away by hand
  auto cluster = director_test::shop();
  cluster.services.clear();
  const auto director = world.director(cluster);
  CHECK(world.saved(*director).owned.empty());
}

TEST_CASE("a service stays ours until the kernel has let it go") {
  World world;
  world.director();
  auto cluster = director_test::shop();
  cluster.services.clear();
  world.kernel.faults = {ipvs::MemoryKernel::Fault::no_buffers, ipvs::MemoryKernel::Fault::no_buffers};
  const auto director = world.director(cluster);
  world.settle();
  CHECK(world.saved(*director).owned == std::set{web_key});
  world.turn_until([&] { return world.kernel.table.empty(); });
  CHECK(world.saved(*director).owned.empty());
}

TEST_CASE("what somebody else put into a service meanwhile drains instead of being cut off") {
  World world;
  Engine director(world.loop, world.kernel, world.host, director_test::shop(),
                  {.node = director_test::lb1(), .state_file = world.scratch.path / "state.json", .dry_run = true});
  world.kernel.faults = {ipvs::MemoryKernel::Fault::no_buffers};
  REQUIRE(director.start());
  REQUIRE(director::status(director)["problems"].size() == 1);
  auto& intruder = world.kernel.table[web_key];  // while ours waits to be tried again
  intruder.service.scheduler = "rr";
  intruder.destinations[at("192.168.200.77:80")].destination.weight = 4;
  intruder.destinations[at("192.168.200.77:80")].active = 3;
  world.turn_until([&] { return director::status(director)["problems"].empty(); });
  CHECK(world.weight("192.168.200.77:80") == 0);
  CHECK(world.weight(web1) == 3);
}

TEST_CASE("what the kernel refuses shows in status, and is tried again") {
  World world;
  world.kernel.schedulers.erase("wrr");
  const auto director = world.director();
  REQUIRE(director::status(*director)["problems"].size() >= 1);
  world.kernel.schedulers.insert("wrr");
  world.turn_until([&] { return director::status(*director)["problems"].empty(); });
  CHECK(world.weight(web1) == 3);
}

TEST_CASE("a drain with a deadline ends at it: the server leaves the table, and stays out over a restart") {
  World world;
  {
    const auto director = world.director();
    world.kernel.table.at(web_key).destinations.at(at(web1)).active = 1;
    REQUIRE(director->overrides().drain("web", "web1", "", std::chrono::seconds(1)));
    CHECK(world.weight(web1) == 0);
    CHECK(director::status(*director)["services"][0]["servers"][0]["drain"]["cause"] == "by the operator");
    world.turn_until([&] { return !world.kernel.table.at(web_key).destinations.contains(at(web1)); });
  }
  const auto next = world.director();
  CHECK_FALSE(world.kernel.table.at(web_key).destinations.contains(at(web1)));
  REQUIRE(next->overrides().undrain("web", "web1"));
  CHECK(world.weight(web1) == 3);
}

TEST_CASE("a drain tells when the last connection has gone") {
  World world;
  const auto director = world.director();
  world.kernel.table.at(web_key).destinations.at(at(web1)).active = 1;
  REQUIRE(director->overrides().drain("web", "web1", ""));
  const auto last = [&] { return director::events_status(*director)["events"].back()["text"].get<std::string>(); };
  REQUIRE(world.loop.turn(std::chrono::seconds(2)));
  CHECK(last() == "drained by the operator");
  world.kernel.table.at(web_key).destinations.at(at(web1)).active = 0;
  world.turn_until([&] { return last() == "drain complete: no connections left"; });
  CHECK(director::status(*director)["services"][0]["servers"][0]["drain"]["done"] == true);
  CHECK(world.weight(web1) == 0);
}

TEST_CASE("that a failed server has no connections left is told to nobody") {
  World world;
  auto cluster = director_test::shop();
  auto& service = cluster.services[0];
  for (auto& server : service.servers) server.endpoint.address = *net::Address::parse("127.0.0.1");
  service.servers[0].endpoint.port = 1;  // where nobody listens
  service.servers[1].endpoint.port = 2;
  checkers::Spec check{.kind = checkers::Tcp{}};
  check.interval = std::chrono::milliseconds(20);
  check.timeout = std::chrono::milliseconds(10);
  service.checks = {check};
  auto& held = world.kernel.table[service.key];
  held.service = service.spec;
  held.destinations[at("127.0.0.1:1")].destination.weight = 3;
  const auto director = world.director(cluster);
  const auto drain = [&] {
    const auto server = director::status(*director)["services"][0]["servers"][0];
    return server.contains("drain") ? server["drain"] : nlohmann::ordered_json::object();
  };
  world.turn_until([&] { return drain().value("done", false); });
  CHECK(drain()["cause"] == "failed");
  const auto told = director::events_status(*director);  // lives while its part is walked
  for (const auto& event : told["events"]) {
    CHECK_FALSE(event["text"].get<std::string>().starts_with("drained"));
  }
}

TEST_CASE("the operator's weight reaches the kernel, outlives a restart, and can be taken back") {
  World world;
  {
    const auto first = world.director();
    REQUIRE(first->overrides().set_weight("web", "web1", 40));
    CHECK(world.weight(web1) == 40);
  }
  const auto director = world.director();
  CHECK(world.weight(web1) == 40);
  REQUIRE(director->overrides().set_weight("web", "web1", std::nullopt));
  CHECK(world.weight(web1) == 3);
}

TEST_CASE("what somebody else changed in what is ours is put right, and told once") {
  World world;
  const auto director = world.director();
  const auto told = director::events_status(*director)["events"].size();
  world.kernel.table.at(web_key).destinations.at(at(web1)).destination.weight = 77;
  world.kernel.table.at(web_key).destinations.erase(at("192.168.200.12:80"));
  world.turn_until([&] { return world.weight(web1) == 3; });
  CHECK(world.weight("192.168.200.12:80") == 1);
  CHECK(director::events_status(*director)["events"].size() == told + 1);
  world.kernel.table.clear();
  world.turn_until([&] { return world.kernel.table.contains(web_key); });
  CHECK(world.weight(web1) == 3);
}

TEST_CASE("services of others are drained only where the file owns the whole table") {
  World world;
  ipvs::ServiceKey alien = web_key;
  alien.endpoint.port = 8080;
  world.kernel.table[alien].service.scheduler = "rr";
  auto cluster = director_test::shop();
  cluster.director.ownership = config::Director::Ownership::exclusive;
  const auto director = world.director(cluster);
  world.turn_until([&] { return !world.kernel.table.contains(alien); });
  world.kernel.table[alien].service.scheduler = "rr";  // and again while it runs
  world.turn_until([&] { return !world.kernel.table.contains(alien); });
}

TEST_CASE("directord that stops keeps its rules or clears them, as the file says") {
  World world;
  world.director()->stop();
  CHECK(world.kernel.table.contains(web_key));
  auto cluster = director_test::shop();
  cluster.director.on_stop = config::Director::OnStop::clear;
  world.director(cluster)->stop();
  CHECK(world.kernel.table.empty());
}

TEST_CASE("a reload changes what differs: weights in place, additions at once, removals after their connections") {
  World world;
  const auto director = world.director();
  REQUIRE(director->overrides().drain("web", "web2", ""));
  auto cluster = director_test::shop();
  auto other = director_test::web();
  other.name = "other";
  other.key.endpoint.port = 81;
  cluster.services.insert(cluster.services.begin(), other);  // every index moves
  cluster.services[1].servers[0].weight = 8;
  REQUIRE(director->reload({.cluster = cluster, .node = director_test::lb1()}, "a test"));
  CHECK(world.weight(web1) == 8);
  CHECK(world.weight("192.168.200.12:80") == 0);
  CHECK(world.kernel.table.contains(other.key));
  CHECK(director::status(*director)["services"][1]["servers"][1]["drained"] == true);

  world.kernel.table.at(web_key).destinations.at(at(web1)).active = 1;
  cluster.services.clear();
  REQUIRE(director->reload({.cluster = cluster, .node = director_test::lb1()}, "a test"));
  CHECK(world.weight(web1) == 0);
  CHECK_FALSE(director->overrides().undrain("web", "web1"));
  world.turn_until([&] { return !world.kernel.table.contains(other.key); });
  CHECK(world.weight(web1) == 0);
  world.kernel.table.at(web_key).destinations.at(at(web1)).active = 0;
  world.turn_until([&] { return world.kernel.table.empty(); });
  CHECK(director->overrides().undrain("web", "web2"));  // which left the file with its drain
}

TEST_CASE("a reload of the same file sends the kernel nothing") {
  World world;
  const auto director = world.director();
  const auto told = director::events_status(*director)["events"].size();
  world.kernel.faults = {ipvs::MemoryKernel::Fault::no_buffers};  // would show
  REQUIRE(director->reload({.cluster = director_test::shop(), .node = director_test::lb1()}, "a test"));
  world.settle();
  CHECK(director::events_status(*director)["events"].size() == told + 1);
  CHECK(world.kernel.faults.size() == 1);
}
