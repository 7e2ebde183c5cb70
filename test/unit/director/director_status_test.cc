// What the director says of itself and of what happens to it.

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "director/control/status.h"
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
    const auto told = director::events_status(*director);
    for (const auto& event : told["events"]) found[event["kind"]] = event["severity"];
    return found;
  };
  world.turn_until([&] { return levels().contains("service_quorum"); });
  CHECK(levels()["server_up"] == "info");
  CHECK(levels()["service_quorum"] == "info");
  const auto texts = [&] { return director::events_status(*director).dump(); };
  CHECK_THAT(texts(), Catch::ContainsSubstring("\"quorum reached: 1 of 1 servers in service, 1 needed\""));
  std::filesystem::remove(file);
  world.turn_until([&] { return levels().contains("service_no_quorum"); });
  CHECK(levels()["server_down"] == "warning");
  CHECK(levels()["service_no_quorum"] == "warning");
  CHECK_THAT(texts(), Catch::ContainsSubstring("\"quorum lost: 0 of 1 servers in service, 1 needed\""));
}

TEST_CASE("an event says from what to what, why, and what it comes from") {
  World world;
  const auto director = world.director();
  REQUIRE(director->overrides().drain("web", "web1", "kernel update"));
  const auto order = director::events_status(*director)["events"].back();
  CHECK(order["kind"] == "server_order");
  CHECK(order["reason_class"] == "order");
  CHECK(order["to"] == "drained");
  CHECK(order["reason"] == "kernel update");
  CHECK_FALSE(order.contains("from"));
  REQUIRE(director->overrides().undrain("web", "web1"));
  const auto back = director::events_status(*director)["events"].back();
  CHECK(back["from"] == "drained");
  CHECK_FALSE(back.contains("reason"));
}

TEST_CASE("servers and problems say since when, in UTC") {
  World world;
  world.kernel.schedulers.erase("wrr");
  const auto began = std::chrono::system_clock::now() - std::chrono::seconds(1);
  const auto director = world.director();
  world.settle();
  const auto since = [&](const nlohmann::ordered_json& it) {
    const auto time = net::parse_timestamp(it["since"].get<std::string>());
    REQUIRE(time);
    CHECK(*time > began);
    CHECK(*time < std::chrono::system_clock::now() + std::chrono::seconds(1));
    return it["since"];
  };
  const auto first = director::status(*director);
  REQUIRE(first["conditions"].size() == 1);
  CHECK(first["conditions"][0]["kind"] == "table_refused");
  CHECK(first["conditions"][0]["subject"] == "service web");
  CHECK(first["conditions"][0]["reason"] == first["problems"][0]);
  const auto problem = since(first["conditions"][0]), server = since(first["services"][0]["servers"][0]);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  world.settle();
  CHECK(since(director::status(*director)["conditions"][0]) == problem);
  CHECK(since(director::status(*director)["services"][0]["servers"][0]) == server);
}
