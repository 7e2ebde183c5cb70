// The operator's weights: who gave them, why, and for how long.

#include <nlohmann/json.hpp>
#include <thread>

#include "director/control/status.h"
#include "director/engine/weight_origin.h"
#include "test/catch.h"
#include "world.h"

using director_test::web1;
using director_test::World;
using namespace std::chrono_literals;

namespace {

nlohmann::ordered_json first_server(const director::Engine& director) {
  return director::status(director)["services"][0]["servers"][0];
}

std::string last_event(const director::Engine& director) {
  return director::events_status(director)["events"].back()["text"].get<std::string>();
}

}  // namespace

TEST_CASE("an operator's weight is seen with its reason and its time, beside the file's") {
  World world;
  const auto director = world.director();
  CHECK(first_server(*director)["weight_origin"] == "file");
  CHECK_FALSE(first_server(*director).contains("weight_order"));
  REQUIRE(director->overrides().set_weight("web", "web1", 40, "disk", 1h));
  CHECK(last_event(*director) == "weight set to 40 by the operator (cluster file: 3), for 1h: disk");
  const auto server = first_server(*director);
  CHECK(server["weight"] == 40);
  CHECK(server["file_weight"] == 3);
  CHECK(server["weight_origin"] == "operator");
  CHECK(server["weight_order"]["weight"] == 40);
  CHECK(server["weight_order"]["reason"] == "disk");
  const auto time = [&](const char* name) {
    return *net::parse_timestamp(server["weight_order"][name].get<std::string>());
  };
  CHECK(time("until") - time("since") == 1h);
  CHECK_THAT(server["reason"].get<std::string>(),
             Catch::ContainsSubstring("weight 40 by the operator since 20") && Catch::ContainsSubstring("(disk)"));
}

TEST_CASE("after its time the file's weight holds again, and that is an event") {
  World world;
  const auto director = world.director();
  REQUIRE(director->overrides().set_weight("web", "web1", 40, "", 1s));
  CHECK(world.weight(web1) == 40);
  world.turn_until([&] { return world.weight(web1) == 3; });
  CHECK(last_event(*director) == "weight reset to 3, as in the cluster file: the operator's weight 40 has expired");
  CHECK(first_server(*director)["weight_origin"] == "file");
}

TEST_CASE("a weight's time goes on while directord is down") {
  World world;
  {
    const auto director = world.director();
    REQUIRE(director->overrides().set_weight("web", "web1", 40, "disk", 1s));
    world.rest(*director);
  }
  {
    const auto director = world.director();
    CHECK(world.weight(web1) == 40);
    CHECK(first_server(*director)["weight_order"]["reason"] == "disk");
  }
  std::this_thread::sleep_for(1100ms);
  const auto director = world.director();
  CHECK(world.weight(web1) == 3);
  CHECK_FALSE(first_server(*director).contains("weight_order"));
}

TEST_CASE("a weight of a server that left the file is over in its time too") {
  World world;
  const auto director = world.director();
  REQUIRE(director->overrides().set_weight("web", "web1", 40, "", 1s));
  auto cluster = director_test::shop();
  cluster.services[0].servers.erase(cluster.services[0].servers.begin());
  REQUIRE(director->reload({.cluster = cluster, .node = director_test::lb1()}, "a test"));
  world.turn_until([&] { return last_event(*director).starts_with("not in the cluster file"); });
  CHECK(world.saved(*director).orders.standing.empty());
}

TEST_CASE("each weight in the table has an origin") {
  using director::weight_origin;
  auto service = director_test::web();
  service.servers.push_back(
      {.name = "sorry", .endpoint = director_test::endpoint("192.168.200.99:80"), .weight = 1, .fallback = true});
  director::ObservedService now{.servers = std::vector<director::ObservedServer>(3)};
  for (auto& server : now.servers) server.health = checkers::HealthState::up;
  auto& server = now.servers[0];
  CHECK(weight_origin(service, now, 0, 3, false) == "file");
  CHECK(weight_origin(service, now, 0, 0, true) == "fallback");
  CHECK(weight_origin(service, now, 2, 0, false) == "fallback");
  CHECK(weight_origin(service, now, 2, 1, true) == "file");
  server.slow_start_from = net::Instant();
  CHECK(weight_origin(service, now, 0, 1, false) == "slow start");
  CHECK(weight_origin(service, now, 0, 3, false) == "file");
  server.advice.weight = {.value = 50, .percent = true};
  CHECK(weight_origin(service, now, 0, 2, false) == "agent");
  server.advice = {};
  server.weight = 7;
  CHECK(weight_origin(service, now, 0, 7, false) == "operator");
  server.weight = 0;
  CHECK(weight_origin(service, now, 0, 0, false) == "operator");
  server.weight.reset();
  server.health = checkers::HealthState::down;
  CHECK(weight_origin(service, now, 0, 0, false) == "check");
  server.admin_state = director::AdminState::drained;
  CHECK(weight_origin(service, now, 0, 0, false) == "operator");
  server.admin_state = director::AdminState::enabled;
  server.advice.admin_state = checkers::Advice::AdminState::drain;
  CHECK(weight_origin(service, now, 0, 0, false) == "agent");
}
