// What the control API does in more than one turn of the loop: reload, plan, replace, orders that wait for the disk.

#include <nlohmann/json.hpp>

#include "api_world.h"
#include "director/control/status.h"
#include "durability.h"

using director::answer;
using director_test::drain_path;
using director_test::one_more;
using director_test::Reloading;
using director_test::weight_path;
using nlohmann::json;

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
  CHECK(json::parse(world.post("/v1/reload", "").body)["summary"] == "no changes");
}

TEST_CASE("a file with mistakes changes nothing, and the answer says what they are") {
  Reloading world;
  world.write("servcies: {}\n");
  const auto response = world.post("/v1/reload", R"({"yes": true})");
  CHECK(response.status == 409);
  const auto value = json::parse(response.body);
  CHECK(value["error"] == world.file + " has errors, nothing was changed");
  REQUIRE(value["found"].size() == 1);
  CHECK(value["found"][0]["line"] == 3);
  CHECK(world.kernel.table.size() == 1);
}

TEST_CASE("a refused file is an event, and a problem until a file is good") {
  Reloading world;
  const auto problems = [&] { return director::status(world.director)["problems"]; };
  world.write("servcies: {}\nserivces: {}\n");
  world.post("/v1/reload", "");
  const auto told = director::events_status(world.director);
  const auto& event = told["events"].back();
  CHECK(event["kind"] == "reload_refused");
  CHECK(event["severity"] == "error");
  const auto text = event["text"].get<std::string>();
  CHECK(text.starts_with("cluster file refused: " + world.file + ":3:1: "));
  CHECK_THAT(text, Catch::ContainsSubstring("(and 1 more; directorctl check shows all)") &&
                       Catch::ContainsSubstring("; the cluster file loaded at 20") &&
                       Catch::ContainsSubstring("Z stays in force (reload requested via the control socket)"));
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
        "the file removes 1 of 1 services, more than the 50% that reload_guard allows; nothing was changed; to "
        "confirm: directorctl reload --yes");
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
  const auto why_not = director_test::told_durable(world.loop, world.director.store());
  CHECK_THAT(why_not, Catch::ContainsSubstring("state.json.new: Is a directory"));
  CHECK(director::status(world.director)["problems"][0] == why_not);
}

TEST_CASE("wrong bodies of reload and plan are refused") {
  Reloading world;
  CHECK(world.post("/v1/reload", R"({"yes": 1})").status == 400);
  CHECK(world.post("/v1/reload", "[]").status == 400);
  CHECK(world.post("/v1/plan", R"({"file": "relative.yaml"})").status == 400);
  for (const auto* body : {R"({"files": []})", R"({"files": {}})", R"({"files": [{"name": "/a"}]})",
                           R"({"files": [{"name": "a", "text": ""}]})", R"({"files": [{"name": "/a", "text": 5}]})",
                           R"({"files": [{"name": "/a\n", "text": ""}]})", R"({"files": [[[[]]], 5]})"}) {
    CAPTURE(body);
    CHECK(world.post("/v1/plan", body).status == 400);
  }
  CHECK(world.post("/v1/plan", R"({"files": )" + std::string(100'000, '[')).status == 400);
}

TEST_CASE("no other file than its own is read for who asks for a plan") {
  Reloading world;
  const auto secret = (world.scratch.path / "secret").string();
  std::ofstream(secret) << "root:hash-of-a-password\n";
  const auto refused = world.post("/v1/plan", json{{"file", secret}}.dump());
  CHECK(refused.status == 403);
  CHECK_THAT(refused.body, !Catch::ContainsSubstring("hash-of-a-password") &&
                               Catch::ContainsSubstring("directord reads no file but its own, " + world.file));
  CHECK(world.post("/v1/plan", R"({"file": "/nowhere/cluster.yaml"})").status == 403);

  world.write(one_more);
  const auto other_name = (world.scratch.path / "." / "cluster.yaml").string();
  CHECK(world.post("/v1/plan", json{{"file", other_name}}.dump()).status == 200);
}

TEST_CASE("a file that is sent is planned with what it includes, and nothing is read for it") {
  Reloading world;
  const auto secret = (world.scratch.path / "secret").string();
  std::ofstream(secret) << "root:hash-of-a-password\n";
  const std::string head = "cluster: shop\nnodes: { lb1: { address: 192.168.56.11, priority: 150 } }\n";
  const auto plan = [&](const std::string& text, const json& others = json::array()) {
    json files = {{{"name", "/sent/cluster.yaml"}, {"text", text}}};
    files.insert(files.end(), others.begin(), others.end());
    return world.post("/v1/plan", json{{"file", "/sent/cluster.yaml"}, {"files", files}}.dump());
  };
  CHECK(json::parse(plan(head + one_more).body)["summary"] == "1 server added");
  const json part = {{{"name", "/sent/parts/web.yaml"}, {"text", one_more}}};
  CHECK(json::parse(plan(head + "include: parts/*.yaml\n", part).body)["summary"] == "1 server added");
  CHECK(json::parse(plan(head + "include: ./parts/web.yaml\n", part).body)["summary"] == "1 server added");

  const auto including = plan(head + "include: " + secret + "\n", part);
  CHECK(including.status == 409);
  CHECK_THAT(including.body, Catch::ContainsSubstring("is not among the files that were sent") &&
                                 !Catch::ContainsSubstring("hash-of-a-password"));
  const auto elsewhere = plan(head + "include: " + (world.scratch.path / "*").string() + "\n" + one_more);
  CHECK(json::parse(elsewhere.body)["summary"] == "1 server added");

  std::string with_secret = one_more;
  with_secret.replace(with_secret.find("scheduler: wrr"), 14,
                      "scheduler: wrr, check: { http: { path: /, authorization_file: /nowhere/secret } }");
  CHECK(plan(head + with_secret).status == 200);

  const auto wrong = plan(head + "servcies: {}\n");
  CHECK(wrong.status == 409);
  CHECK(json::parse(wrong.body)["found"][0]["file"] == "/sent/cluster.yaml");
}

TEST_CASE("only a plan may have a large body") {
  CHECK(director::body_max("/v1/plan") == std::size_t{16} << 20);
  CHECK(director::body_max("/v1/reload") == std::size_t{64} << 10);
  Reloading world;
  const std::string head = "cluster: shop\nnodes: { lb1: { address: 192.168.56.11, priority: 150 } }\n";
  const auto text = head + one_more + std::string(100'000, '#') + "\n";
  const auto plan = world.post("/v1/plan", json{{"files", {{{"name", "/c"}, {"text", text}}}}}.dump());
  CHECK(json::parse(plan.body)["summary"] == "1 server added");
}

TEST_CASE("a reload gives the sockets to other groups once the file is in force, or changes nothing") {
  Reloading world;
  world.write(one_more + "director: { operators: root, readers: nonesuch }\n");
  for (const auto* path : {"/v1/plan", "/v1/reload"}) {
    const auto refused = world.post(path, "");
    CHECK(refused.status == 500);
    CHECK_THAT(json::parse(refused.body)["error"].get<std::string>(),
               Catch::ContainsSubstring("director: readers: this host has no group 'nonesuch'"));
  }
  CHECK(world.kernel.table.at(director_test::web().key).destinations.size() == 2);
  CHECK(world.director.cluster().director.operators.empty());

  world.write("services: {}\ndirector: { operators: root }\n");
  CHECK(world.post("/v1/reload", "").status == 409);  // it removes too much
  CHECK(world.access.empty());

  world.write(one_more + "director: { operators: root }\n");
  CHECK(world.post("/v1/plan", "").status == 200);
  CHECK(world.access.empty());
  CHECK(world.post("/v1/reload", "").status == 200);
  CHECK(world.post("/v1/reload", "").status == 200);
  const director::Group root{.name = "root", .id = 0};
  CHECK(world.access == std::vector{director::SocketGroups{.operators = root, .readers = {}}});

  world.write(one_more);
  CHECK(world.post("/v1/reload", "").status == 200);
  CHECK(world.access.back() == director::SocketGroups{});
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
             Catch::ContainsSubstring("in force, but not saved to disk yet: write ") &&
                 Catch::ContainsSubstring("No such file or directory"));
  CHECK(director::status(world.director)["services"][0]["servers"][0]["weight"] == 7);
  REQUIRE(director::status(world.director)["problems"].size() == 1);

  std::filesystem::create_directory(world.scratch.path);
  const auto limit = net::monotonic_now() + std::chrono::seconds(10);
  while (!director::status(world.director)["problems"].empty() && net::monotonic_now() < limit) {
    REQUIRE(world.loop.turn(std::chrono::milliseconds(100)));
  }
  CHECK(director::load_state(world.scratch.path / "state.json")->orders.standing.at("web/web1").weight->value == 7);
}

TEST_CASE("a program that does not take the file does not take this one's place") {
  Reloading world;
  const auto response = world.post("/v1/replace", "");
  CHECK(response.status == 409);
  CHECK(json::parse(response.body)["error"] ==
        "/bin/false cannot replace the running process: its --check failed without a message");
}

TEST_CASE("a program that talks on and on is not waited for") {
  const director::Replacement talker{.program = "/bin/sh",
                                     .arguments = {"sh", "-c", "while :; do echo word; /bin/sleep 0.02; done"},
                                     .patience = std::chrono::milliseconds(300)};
  const auto began = net::monotonic_now();
  const auto checked = talker.check();
  CHECK(net::monotonic_now() - began < std::chrono::seconds(5));
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.error().message, Catch::ContainsSubstring("/bin/sh cannot replace the running process: word"));
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
  CHECK(director::status(world.director)["services"][0]["servers"][0]["drained"] == false);
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
  CHECK(json::parse(*got->shared)["services"][0]["servers"][0]["active"] == 7);
}
