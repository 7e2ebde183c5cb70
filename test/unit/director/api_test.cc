#include "director/api.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "ipvs/memory_kernel.h"
#include "scratch.h"
#include "shop.h"

using director::answer;
using nlohmann::json;

namespace {

struct World {
  director_test::Scratch scratch;
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  director::Director director{
      loop, kernel, director_test::shop(),
      director::Options{.node = director_test::lb1(), .state_file = scratch.path / "state.json", .dry_run = true}};

  World() { REQUIRE(director.start()); }
};

const std::string drain_path = "/v1/services/web/servers/web1/drain";

}  // namespace

TEST_CASE("status tells the cluster, the node, and each server") {
  World world;
  const auto response = answer(world.director, {.method = "GET", .path = "/v1/status", .body = ""});
  CHECK(response.status == 200);
  const auto value = json::parse(response.body);
  CHECK(value["cluster"] == "shop");
  CHECK(value["node"] == "lb1");
  CHECK(value["services"][0]["key"] == "tcp 192.168.56.10:80");
  const auto server = value["services"][0]["servers"][0];
  CHECK(server["name"] == "web1");
  CHECK(server["address"] == "192.168.200.11:80");
  CHECK(server["health"] == "up");
  CHECK(server["weight"] == 3);
  CHECK(server["effective_weight"] == 3);
  CHECK(server["active"] == 0);
  CHECK(server["reason"] == "no check");
}

TEST_CASE("a drain is put and deleted; doing it twice is not an error") {
  World world;
  for (const auto* method : {"PUT", "PUT", "DELETE", "DELETE"}) {
    const auto response = answer(world.director, {.method = method, .path = drain_path, .body = ""});
    CHECK(response.status == 200);
    CHECK(json::parse(response.body)["message"].get<std::string>().starts_with("web/web1 "));
  }
  const auto events = json::parse(answer(world.director, {.method = "GET", .path = "/v1/events", .body = ""}).body);
  REQUIRE(events["events"].size() == 2);
  CHECK(events["events"][0]["subject"] == "server web/web1");
  CHECK(events["events"][0]["number"] == 1);
}

TEST_CASE("what cannot be done is refused with the right status and a sentence") {
  World world;
  const struct {
    director::Request request;
    unsigned status;
    std::string error;
  } cases[] = {
      {{"GET", "/", ""}, 404, "there is nothing at /"},
      {{"GET", "/v1/statuss", ""}, 404, "there is nothing at /v1/statuss"},
      {{"POST", "/v1/status", ""}, 405, "POST does not go with /v1/status"},
      {{"GET", drain_path, ""}, 405, "GET does not go with " + drain_path},
      {{"PUT", "/v1/services/web/servers/web9/drain", ""}, 404, "there is no server web/web9 in cluster shop"},
      {{"DELETE", "/v1/services/wob/servers/web1/drain", ""}, 404, "there is no server wob/web1 in cluster shop"},
      {{"PUT", drain_path, "["}, 400, "the body is not {\"reason\": \"...\"} with at most 1000 bytes of reason"},
      {{"PUT", drain_path, R"({"reason": ")" + std::string(1001, 'x') + R"("})"},
       400,
       "the body is not {\"reason\": \"...\"} with at most 1000 bytes of reason"},
      {{"PUT", drain_path, R"({"reason": 5})"},
       400,
       "the body is not {\"reason\": \"...\"} with at most 1000 bytes of reason"},
  };
  for (const auto& [request, status, error] : cases) {
    const auto response = answer(world.director, request);
    CHECK(response.status == status);
    CHECK(json::parse(response.body)["error"] == error);
  }
}

TEST_CASE("a drain that cannot be kept is refused, and nothing changes") {
  World world;
  std::filesystem::remove_all(world.scratch.path);
  const auto response = answer(world.director, {.method = "PUT", .path = drain_path, .body = ""});
  CHECK(response.status == 500);
  CHECK(world.director.status()["services"][0]["servers"][0]["drained"] == false);
}
