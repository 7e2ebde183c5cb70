#include <nlohmann/json.hpp>
#include <sstream>

#include "api_world.h"
#include "director/control/status.h"
#include "director/ctl/status_text.h"

using director::answer;
using director_test::drain_path;
using director_test::weight_path;
using World = director_test::ApiWorld;
using nlohmann::json;

namespace {

const std::string drain_body =
    "invalid body: expected {\"reason\": \"...\", \"within_seconds\": N}, reason at most 1000 bytes";
const std::string weight_body = "invalid body: expected {\"weight\": N}, N from 0 to 65535";
const std::string weight_more =
    "invalid body: expected {\"weight\": N, \"reason\": \"...\", \"for_seconds\": N}, reason at most 1000 bytes, "
    "for_seconds at least 1";

}  // namespace

TEST_CASE("status tells the cluster, the node, and each server") {
  World world;
  const auto value = director::status(world.director);
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
    const auto message = json::parse(response.body)["message"].get<std::string>();
    CHECK(message.starts_with("web/web1"));
    CHECK(message.find_first_of(" :") == 8);
  }
  const auto events = json::parse(answer(world.director, {.method = "GET", .path = "/v1/events", .body = ""}).body);
  REQUIRE(events["events"].size() == 2);
  CHECK(events["events"][0]["subject"] == "server web/web1");
  CHECK(events["events"][0]["number"] == 1);
}

TEST_CASE("a reason cannot forge a line of the log, of the events or of the status") {
  World world;
  const auto put = [&](const std::string& path, const std::string& body) {
    REQUIRE(answer(world.director, {.method = "PUT", .path = path, .body = body}).status == 200);
  };
  put(drain_path, R"({"reason": "disk\nserver web/web2: up -> down\u001b[2J"})");
  put(weight_path, R"({"weight": 2, "reason": "disk\r\u009b"})");
  REQUIRE(world.director.log().events().size() == 2);
  const auto& [drained, weighed] = std::tie(world.director.log().events()[0], world.director.log().events()[1]);
  CHECK(drained.text == "drained by the operator: disk\\nserver web/web2: up -> down\\x1b[2J");
  CHECK(drained.reason == "disk\\nserver web/web2: up -> down\\x1b[2J");
  CHECK(weighed.reason == "disk\\r\\xc2\\x9b");
  const auto shown = director::status_text(director::status(world.director));
  CHECK(shown.contains("(disk\\nserver web/web2: up -> down\\x1b[2J)"));
}

TEST_CASE("whoever takes out the last server is warned of who serves instead, and status does not call it up") {
  World world;
  const auto put = [&](director::Engine& director, const char* server, const char* what, const char* body) {
    const auto path = std::string("/v1/services/web/servers/") + server + "/" + what;
    return json::parse(answer(director, {.method = "PUT", .path = path, .body = body}).body);
  };
  CHECK_FALSE(put(world.director, "web1", "drain", "").contains("warning"));
  CHECK(put(world.director, "web2", "drain", "")["warning"] ==
        "web has no server left for new connections; new connections are refused");
  const auto service = director::status(world.director)["services"][0];
  CHECK(service["taking"] == 0);
  const auto status = json::parse(director::status(world.director).dump());
  CHECK_THAT(director::services_text(status), Catch::ContainsSubstring("  0 of 2 taking connections, 2 up  lost"));
  CHECK_THAT(director::status_text(status), Catch::ContainsSubstring("quorum lost: 0 of 2 taking connections, 2 up\n"));

  auto cluster = director_test::shop();
  cluster.services[0].servers.push_back(
      {.name = "sorry", .endpoint = director_test::endpoint("192.168.200.99:80"), .fallback = true});
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine other(world.loop, kernel, host, cluster,
                         {.node = director_test::lb1(), .state_file = {}, .dry_run = true});
  REQUIRE(other.start());
  CHECK_FALSE(put(other, "sorry", "drain", "").contains("warning"));
  REQUIRE(other.overrides().undrain("web", "sorry"));
  put(other, "web1", "drain", "");
  CHECK(put(other, "web2", "weight", R"({"weight": 0})")["warning"] ==
        "web has no server left for new connections; fallback 192.168.200.99:80 in use");
}

TEST_CASE("enable and undrain have a word each, and a drain whose time is over is called disabled") {
  World world;
  const auto last = [&] { return director::events_status(world.director)["events"].back()["text"].get<std::string>(); };
  const auto server = [&] { return director::status(world.director)["services"][0]["servers"][0]; };
  REQUIRE(world.director.overrides().drain("web", "web1", ""));
  CHECK(server()["order"] == "drained");
  REQUIRE(world.director.overrides().undrain("web", "web1"));
  CHECK(last() == "undrained by the operator");
  CHECK_FALSE(server().contains("order"));
  REQUIRE(world.director.overrides().drain("web", "web1", "", std::chrono::seconds(0)));
  CHECK(server()["order"] == "disabled");
  CHECK(server()["reason"].get<std::string>().starts_with("disabled by the operator since "));
  REQUIRE(world.director.overrides().undrain("web", "web1"));
  CHECK(last() == "enabled by the operator");
  world.kernel.table.at(director_test::web().key).destinations.at(director_test::at("192.168.200.11:80")).active = 1;
  REQUIRE(world.director.overrides().drain("web", "web1", "disk", std::chrono::seconds(1)));
  CHECK(server()["order"] == "drained");
  const auto patience = net::monotonic_now() + std::chrono::seconds(10);
  while (server()["order"] == "drained" && net::monotonic_now() < patience)
    REQUIRE(world.loop.turn(std::chrono::seconds(2)));
  CHECK(server()["order"] == "disabled");
  CHECK(server()["reason"].get<std::string>().starts_with("disabled: drain timeout reached at "));
  CHECK_THAT(director::servers_text(json::parse(director::status(world.director).dump())),
             Catch::ContainsSubstring("  up, disabled  0/3"));
}

TEST_CASE("what cannot be done is refused with the right status and a sentence") {
  World world;
  const struct {
    director::Request request;
    unsigned status;
    std::string error;
  } cases[] = {
      {{"GET", "/", ""}, 404, "no such resource: /"},
      {{"GET", "/v1/statuss", ""}, 404, "no such resource: /v1/statuss"},
      {{"POST", "/v1/events", ""}, 405, "POST: method not allowed for /v1/events"},
      {{"GET", drain_path, ""}, 405, "GET: method not allowed for " + drain_path},
      {{"PUT", "/v1/services/web/servers/web9/drain", ""}, 404, "there is no server web/web9 in cluster shop"},
      {{"DELETE", "/v1/services/wob/servers/web1/drain", ""}, 404, "there is no server wob/web1 in cluster shop"},
      {{"PUT", drain_path, "["}, 400, drain_body},
      {{"PUT", drain_path, R"({"reason": ")" + std::string(1001, 'x') + R"("})"}, 400, drain_body},
      {{"PUT", drain_path, R"({"within_seconds": -1})"}, 400, drain_body},
      {{"PUT", drain_path, R"({"within_seconds": 99999999999})"}, 400, drain_body},
      {{"PUT", weight_path, ""}, 400, weight_body},
      {{"PUT", weight_path, R"({"weight": 65536})"}, 400, weight_body},
      {{"PUT", weight_path, R"({"weight": "5"})"}, 400, weight_body},
      {{"PUT", weight_path, R"([5])"}, 400, weight_body},
      {{"PUT", weight_path, R"({"weight": 5, "reason": 5})"}, 400, weight_more},
      {{"PUT", weight_path, R"({"weight": 5, "for_seconds": 0})"}, 400, weight_more},
      {{"PUT", weight_path, R"({"weight": 5, "for_seconds": "1m"})"}, 400, weight_more},
      {{"GET", "/v1/events", "", {{"since", "x"}}}, 400, "invalid query: expected since=N, N the number of an event"},
      {{"PUT", drain_path, R"({"reason": 5})"}, 400, drain_body},
  };
  for (const auto& [request, status, error] : cases) {
    const auto response = answer(world.director, request);
    CHECK(response.status == status);
    CHECK(json::parse(response.body)["error"] == error);
  }
}

TEST_CASE("every status that stands for a refusal is explained") {
  std::stringstream text;
  text << std::ifstream("docs/operations.md").rdbuf();
  using enum director::RequestError::Kind;
  for (const auto kind : {invalid, forbidden, not_found, wrong_method, conflict, too_large, failed, unavailable}) {
    CHECK_THAT(text.str(), Catch::ContainsSubstring("| `" + std::to_string(director::http_status(kind)) + "` | "));
  }
}

TEST_CASE("a handover says what is not there, and that a dry run has no virtual routers") {
  World world;
  auto cluster = director_test::shop();
  cluster.nodes.push_back({.name = "lb2", .address = *net::Address::parse("192.168.56.12")});
  cluster.virtual_routers.push_back({.name = "front", .interfaces = {}, .addresses = {}});
  REQUIRE(world.director.reload({.cluster = cluster, .node = director_test::lb1()}, "a test"));
  const auto post = [&](const std::string& router, const std::string& body) {
    const auto response =
        answer(world.director, {.method = "POST", .path = "/v1/vrrp/" + router + "/failover", .body = body});
    return std::pair(response.status, json::parse(response.body)["error"].get<std::string>());
  };
  CHECK(post("front", "") == std::pair(409U, std::string("virtual router front does not run in a dry run")));
  CHECK(post("front", R"({"to": "lb9"})") == std::pair(404U, std::string("there is no node lb9 in cluster shop")));
  CHECK(post("frnt", "") == std::pair(404U, std::string("there is no virtual router frnt in cluster shop")));
}

TEST_CASE("a weight is put and deleted, and events are asked for from a number on") {
  World world;
  const auto weight = [&] {
    return world.kernel.table.at(director_test::web().key)
        .destinations.at(director_test::at("192.168.200.11:80"))
        .destination.weight;
  };
  CHECK(answer(world.director, {.method = "PUT", .path = weight_path, .body = R"({"weight": 0})"}).status == 200);
  CHECK(weight() == 0);
  CHECK(answer(world.director, {.method = "DELETE", .path = weight_path, .body = ""}).status == 200);
  CHECK(weight() == 3);
  const auto later = json::parse(
      answer(world.director, {.method = "GET", .path = "/v1/events", .body = "", .query = {{"since", "1"}}}).body);
  REQUIRE(later["events"].size() == 1);
  CHECK(later["events"][0]["number"] == 2);
}
