#include "director/control/api.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "config/memory.h"
#include "director/ctl/status_text.h"
#include "director/daemon/replacement.h"
#include "director/engine/director.h"
#include "director/engine/reloader.h"
#include "director/engine/table_reader.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

using director::answer;
using nlohmann::json;

namespace {

struct World {
  director_test::Scratch scratch;
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Director director{
      loop, kernel, host, director_test::shop(),
      director::Options{.node = director_test::lb1(), .state_file = scratch.path / "state.json", .dry_run = true}};

  World() { REQUIRE(director.start()); }
};

const std::string drain_body =
    "the body is not {\"reason\": \"...\", \"within_seconds\": N} with at most 1000 bytes of reason";
const std::string weight_path = "/v1/services/web/servers/web1/weight";
const std::string weight_body = "the body is not {\"weight\": N} with N from 0 to 65535";
const std::string weight_more =
    "the body is not {\"weight\": N, \"reason\": \"...\", \"for_seconds\": N} with at most 1000 bytes of reason and at "
    "least a second";
const std::string drain_path = "/v1/services/web/servers/web1/drain";

}  // namespace

TEST_CASE("status tells the cluster, the node, and each server") {
  World world;
  const auto value = world.director.status();
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

TEST_CASE("whoever takes out the last server is warned of who serves instead, and status does not call it up") {
  World world;
  const auto put = [&](director::Director& director, const char* server, const char* what, const char* body) {
    const auto path = std::string("/v1/services/web/servers/") + server + "/" + what;
    return json::parse(answer(director, {.method = "PUT", .path = path, .body = body}).body);
  };
  CHECK_FALSE(put(world.director, "web1", "drain", "").contains("warning"));
  CHECK(put(world.director, "web2", "drain", "")["warning"] ==
        "web has no server left that takes new connections; its clients are refused");
  const auto service = world.director.status()["services"][0];
  CHECK(service["taking"] == 0);
  const auto status = json::parse(world.director.status().dump());
  CHECK_THAT(director::services_text(status), Catch::ContainsSubstring("  0 of 2 taking connections, 2 up  lost"));
  CHECK_THAT(director::status_text(status), Catch::ContainsSubstring("quorum lost: 0 of 2 taking connections, 2 up\n"));

  auto cluster = director_test::shop();
  cluster.services[0].servers.push_back(
      {.name = "sorry", .endpoint = director_test::endpoint("192.168.200.99:80"), .fallback = true});
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Director other(world.loop, kernel, host, cluster,
                           {.node = director_test::lb1(), .state_file = {}, .dry_run = true});
  REQUIRE(other.start());
  CHECK_FALSE(put(other, "sorry", "drain", "").contains("warning"));
  REQUIRE(other.undrain("web", "sorry"));
  put(other, "web1", "drain", "");
  CHECK(put(other, "web2", "weight", R"({"weight": 0})")["warning"] ==
        "web has no server left that takes new connections; fallback 192.168.200.99:80 serves");
}

TEST_CASE("enable and undrain have a word each, and a drain whose time is over is called disabled") {
  World world;
  const auto last = [&] { return world.director.events()["events"].back()["text"].get<std::string>(); };
  const auto server = [&] { return world.director.status()["services"][0]["servers"][0]; };
  REQUIRE(world.director.drain("web", "web1", ""));
  CHECK(server()["order"] == "drained");
  REQUIRE(world.director.undrain("web", "web1"));
  CHECK(last() == "drain taken back by the operator");
  CHECK_FALSE(server().contains("order"));
  REQUIRE(world.director.drain("web", "web1", "", std::chrono::seconds(0)));
  CHECK(server()["order"] == "disabled");
  CHECK(server()["reason"].get<std::string>().starts_with("disabled by the operator since "));
  REQUIRE(world.director.undrain("web", "web1"));
  CHECK(last() == "enabled by the operator");
  world.kernel.table.at(director_test::web().key).destinations.at(director_test::at("192.168.200.11:80")).active = 1;
  REQUIRE(world.director.drain("web", "web1", "disk", std::chrono::seconds(1)));
  CHECK(server()["order"] == "drained");
  const auto patience = net::monotonic_now() + std::chrono::seconds(10);
  while (server()["order"] == "drained" && net::monotonic_now() < patience)
    REQUIRE(world.loop.turn(std::chrono::seconds(2)));
  CHECK(server()["order"] == "disabled");
  CHECK(server()["reason"].get<std::string>().starts_with("disabled: drain time reached at "));
  CHECK_THAT(director::servers_text(json::parse(world.director.status().dump())),
             Catch::ContainsSubstring("  up, disabled  0/3"));
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
      {{"POST", "/v1/events", ""}, 405, "POST does not go with /v1/events"},
      {{"GET", drain_path, ""}, 405, "GET does not go with " + drain_path},
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
      {{"GET", "/v1/events", "", {{"since", "x"}}}, 400, "since=N: N is an event's number"},
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
  REQUIRE(world.director.reload(cluster, director_test::lb1(), "a test"));
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

namespace {

/// A director with the file that it reads again.
struct Reloading : World {
  std::string file = scratch.path / "cluster.yaml";
  std::unique_ptr<director::Reloader> reloader;
  std::unique_ptr<director::Replacer> replacer =
      director::Replacer::create(loop, {.program = "/bin/false", .arguments = {"false"}}, [](const auto& then) {
        then();
      }).value();
  std::unique_ptr<director::TableReader> table;

  Reloading() {
    reloader = director::Reloader::create(loop, director, {.file = file, .node = "lb1", .host_name = "x"}, {}).value();
  }

  void write(const std::string& services) {
    std::ofstream(file) << "cluster: shop\nnodes: { lb1: { address: 192.168.56.11, priority: 150 } }\n" + services;
  }

  director::Control control() {
    return {.director = director,
            .reloader = *reloader,
            .replace = [this](auto done) { replacer->replace(std::move(done)); },
            .table = table.get()};
  }

  director::Response post(const std::string& path, const std::string& body) { return send("POST", path, body); }

  director::Response send(const std::string& method, const std::string& path, const std::string& body) {
    std::optional<director::Response> got;
    answer(control(), {.method = method, .path = path, .body = body},
           [&](director::Response response) { got = std::move(response); });
    while (!got) REQUIRE(loop.turn(std::chrono::milliseconds(20)));
    return *got;
  }
};

const std::string one_more =
    "services: { web: { listen: 192.168.56.10:80, scheduler: wrr, servers: { web1: { address: 192.168.200.11, weight: "
    "3 "
    "}, web2: { address: 192.168.200.12 }, web3: { address: 192.168.200.13 } } } }\n";

}  // namespace

TEST_CASE("a plan shows what a reload then does") {
  Reloading world;
  world.write(one_more);
  const auto plan = json::parse(world.post("/v1/plan", "").body);
  CHECK(plan["summary"] == "1 server added");
  CHECK(plan["servers"]["added"] == json{"web/web3"});
  CHECK(plan["probes"]["added"] == 0);
  const auto& table = world.kernel.table.at(director_test::web().key);
  CHECK(table.destinations.size() == 2);
  CHECK(json::parse(world.post("/v1/reload", "").body)["summary"] == "1 server added");
  CHECK(table.destinations.size() == 3);
  CHECK(json::parse(world.post("/v1/reload", "").body)["summary"] == "nothing differs");
}

TEST_CASE("a file with mistakes changes nothing, and the answer says what they are") {
  Reloading world;
  world.write("servcies: {}\n");
  const auto response = world.post("/v1/reload", R"({"yes": true})");
  CHECK(response.status == 409);
  const auto value = json::parse(response.body);
  CHECK(value["error"] == world.file + " is not good");
  REQUIRE(value["found"].size() == 1);
  CHECK(value["found"][0]["line"] == 3);
  CHECK(world.kernel.table.size() == 1);
}

TEST_CASE("a refused file is an event, and a problem until a file is good") {
  Reloading world;
  const auto problems = [&] { return world.director.status()["problems"]; };
  world.write("servcies: {}\nserivces: {}\n");
  world.post("/v1/reload", "");
  const auto told = world.director.events();
  const auto& event = told["events"].back();
  CHECK(event["kind"] == "reload_refused");
  CHECK(event["severity"] == "error");
  const auto text = event["text"].get<std::string>();
  CHECK(text.starts_with("cluster file refused: " + world.file + ":3:1: "));
  CHECK_THAT(text, Catch::ContainsSubstring("(and 1 more; directorctl check shows all)") &&
                       Catch::ContainsSubstring("; the file of 20") &&
                       Catch::ContainsSubstring("Z stays in force (reload asked for by the control socket)"));
  REQUIRE(problems().size() == 1);
  CHECK(text.starts_with(problems()[0].get<std::string>()));
  world.post("/v1/plan", "");  // only asks
  CHECK(problems().size() == 1);
  world.write(one_more);
  CHECK(world.post("/v1/reload", "").status == 200);
  CHECK(problems().empty());
}

TEST_CASE("a reload that removes much is refused without a yes, and counts the connections that it touches") {
  Reloading world;
  world.kernel.table.at(director_test::web().key).destinations.begin()->second.active = 4;
  world.write("services: {}\n");
  const auto plan = json::parse(world.post("/v1/plan", R"({"file": ")" + world.file + R"("})").body);
  CHECK(plan["leaving"][0]["active"] == 4);
  const auto refused = world.post("/v1/reload", "");
  CHECK(refused.status == 409);
  CHECK(json::parse(refused.body)["error"] ==
        "the file removes 1 of 1 services, more than the 50% that reload_guard lets go unasked; if that is meant, say "
        "--yes");
  CHECK(world.director.cluster().services.size() == 1);
  CHECK(world.post("/v1/reload", R"({"yes": true})").status == 200);
  CHECK(world.director.cluster().services.empty());
}

TEST_CASE("a reload whose state the disk does not take is in force, and that is a problem") {
  Reloading world;
  std::filesystem::create_directory(world.scratch.path / "state.json.new");  // where the state is written first
  std::string services = one_more;
  services.replace(services.find("web:"), 4, "www:").replace(services.find(":80"), 3, ":81");
  world.write(services);
  CHECK(world.post("/v1/reload", R"({"yes": true})").status == 200);
  std::optional<std::string> why_not;
  world.director.when_durable([&](const std::string& why) { why_not = why; });
  while (!why_not) REQUIRE(world.loop.turn(std::chrono::seconds(2)));
  CHECK_THAT(*why_not, Catch::ContainsSubstring("state.json.new: Is a directory"));
  CHECK(world.director.status()["problems"][0] == *why_not);
}

TEST_CASE("wrong bodies of reload and plan are refused") {
  Reloading world;
  CHECK(world.post("/v1/reload", R"({"yes": 1})").status == 400);
  CHECK(world.post("/v1/reload", "[]").status == 400);
  CHECK(world.post("/v1/plan", R"({"file": "relative.yaml"})").status == 400);
  CHECK(world.post("/v1/plan", R"({"file": "/nowhere/cluster.yaml"})").status == 409);
}

TEST_CASE("an order is in force at once, and its answer says whether the disk has it") {
  Reloading world;
  const auto good = world.send("PUT", drain_path, "");
  CHECK(good.status == 200);
  CHECK(json::parse(good.body)["durable"] == true);
  CHECK_FALSE(json::parse(good.body).contains("warning"));

  std::filesystem::remove_all(world.scratch.path);
  const auto bad = world.send("PUT", weight_path, R"({"weight": 7})");
  CHECK(bad.status == 200);
  CHECK(json::parse(bad.body)["durable"] == false);
  CHECK_THAT(json::parse(bad.body)["warning"].get<std::string>(),
             Catch::ContainsSubstring("it is in force, but not on the disk yet: write ") &&
                 Catch::ContainsSubstring("No such file or directory"));
  CHECK(world.director.status()["services"][0]["servers"][0]["weight"] == 7);
  REQUIRE(world.director.status()["problems"].size() == 1);

  std::filesystem::create_directory(world.scratch.path);
  const auto limit = net::monotonic_now() + std::chrono::seconds(10);
  while (!world.director.status()["problems"].empty() && net::monotonic_now() < limit) {
    REQUIRE(world.loop.turn(std::chrono::milliseconds(100)));
  }
  CHECK(director::load_intents(world.scratch.path / "state.json")->orders.at("web/web1").weight->value == 7);
}

TEST_CASE("a program that does not take the file does not take this one's place") {
  Reloading world;
  const auto response = world.post("/v1/replace", "");
  CHECK(response.status == 409);
  CHECK(json::parse(response.body)["error"] == "/bin/false does not take this one's place: it ended without a word");
}

TEST_CASE("a program that talks on and on is not waited for") {
  const director::Replacement talker{.program = "/bin/sh",
                                     .arguments = {"sh", "-c", "while :; do echo word; /bin/sleep 0.02; done"},
                                     .patience = std::chrono::milliseconds(300)};
  const auto began = net::monotonic_now();
  const auto checked = talker.check();
  CHECK(net::monotonic_now() - began < std::chrono::seconds(5));
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.error().message, Catch::ContainsSubstring("/bin/sh does not take this one's place: word"));
}

TEST_CASE("readers may ask and not steer") {
  Reloading world;
  const auto status_of = [&](const char* method, const std::string& path) {
    unsigned status = 0;
    director::answer_reader(world.control(), {.method = method, .path = path, .body = ""},
                            [&](const director::Response& response) { status = response.status; });
    while (status == 0) REQUIRE(world.loop.turn(std::chrono::seconds(5)));
    return status;
  };
  CHECK(status_of("GET", "/v1/status") == 200);
  CHECK(world.post("/v1/status", "").status == 405);
  CHECK(status_of("PUT", drain_path) == 403);
  for (const auto* path : {"/v1/reload", "/v1/plan", "/v1/replace"}) {
    CHECK(status_of("POST", path) == 403);
    CHECK(status_of("GET", path) == 405);
  }
  CHECK(world.director.status()["services"][0]["servers"][0]["drained"] == false);
}

TEST_CASE("a status waits for the kernel's table, which is read beside the loop, and shows what was in it") {
  Reloading world;
  auto kernel = std::make_unique<ipvs::MemoryKernel>();
  kernel->table = world.kernel.table;
  kernel->table.at(director_test::web().key).destinations.at(director_test::at("192.168.200.11:80")).active = 7;
  world.table = director::TableReader::create(world.loop, std::move(kernel)).value();
  std::optional<director::Response> got;
  director::answer(world.control(), {.method = "GET", .path = "/v1/status", .body = ""},
                   [&](director::Response response) { got = std::move(response); });
  CHECK_FALSE(got);
  while (!got) REQUIRE(world.loop.turn(std::chrono::seconds(5)));
  CHECK(json::parse(got->body)["services"][0]["servers"][0]["active"] == 7);
}
