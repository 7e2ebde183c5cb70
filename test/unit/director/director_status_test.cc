// What the director says of itself and of what happens to it.

#include <fstream>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "world.h"

using director_test::World;

TEST_CASE("that a server dies is a warning, and that it is back is none") {
  World world;
  const auto file = world.scratch.path / "there";
  std::ofstream(file) << "\n";
  auto cluster = director_test::shop();
  cluster.services[0].servers.pop_back();
  cluster.services[0].checks = {
      {.kind = checkers::Exec{.command = {"/bin/sh", "-c", "test -e " + file.string()}, .user = "root"},
       .interval = std::chrono::milliseconds(20),
       .timeout = std::chrono::seconds(10),
       .thresholds = {.rise = 1, .fall = 1}}};
  const auto director = world.director(cluster);
  const auto levels = [&] {  // of what was told, by kind
    std::map<std::string, std::string> found;
    const auto told = director->events();
    for (const auto& event : told["events"]) found[event["kind"]] = event["severity"];
    return found;
  };
  world.turn_until([&] { return levels().contains("service_quorum"); });
  CHECK(levels()["server_up"] == "info");
  CHECK(levels()["service_quorum"] == "info");
  std::filesystem::remove(file);
  world.turn_until([&] { return levels().contains("service_no_quorum"); });
  CHECK(levels()["server_down"] == "warning");
  CHECK(levels()["service_no_quorum"] == "warning");
}
