// Answers of the control API and of directorctl that version 0.1.0 gave in a dry run: today's programs give them too.
// Another version's are recorded by: PROGRAMS=build/old/0.1.0 RECORD=dry_run.json build/asan/bin/api_contract
// "[.record]"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/contract/answers.h"
#include "test/contract/dry_run.h"
#include "test/unit/director/scratch.h"

using contract::breaches;
using nlohmann::ordered_json;

namespace {

const contract::Names names = {"web/web1", "web/web9", "wob/web1", "nobody", "web3", "lissen", "drian", "shop"};

ordered_json answers_of(const std::filesystem::path& programs) {
  const director_test::Scratch scratch;
  return contract::DryRun(programs, scratch.path).answers();
}

std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& line : all) text += line + "\n";
  return text;
}

/// Version 0.1.0 read any file for who may control it. Today another one than its own is sent to directord.
bool plans_another_file(const ordered_json& answer) {
  return answer["asked"].get<std::string>().starts_with(R"(POST /v1/plan {"file":"/)");
}

}  // namespace

TEST_CASE("what 0.1.0 answered in a dry run is answered today") {
  auto today = answers_of(BUILT_PROGRAMS);
  auto recorded = contract::load("test/contract/0.1.0/dry_run.json");
  CHECK(std::ranges::count_if(today, plans_another_file) == 3);
  for (const auto& answer : today) {
    if (plans_another_file(answer)) CHECK(answer["status"] == 403);
  }
  for (auto* answers : {&today, &recorded}) {
    auto kept = ordered_json::array();
    std::ranges::copy_if(*answers, std::back_inserter(kept), std::not_fn(plans_another_file));
    *answers = std::move(kept);
  }
  REQUIRE(recorded.size() > 80);
  CHECK(lines(breaches(recorded, today, names)) == "");
}

TEST_CASE("an answer that breaks the contract is noticed, and one that adds to it is not") {
  const auto recorded = ordered_json::parse(R"([{"asked": "GET /v1/x", "status": 200, "body": {
    "node": "lb1", "started": "2026-11-21T10:00:00.000Z", "weight": 3, "drained": false, "reason": "web/web1 is down",
    "problems": ["server web/web1 fails"], "warnings": [{"line": 9, "text": "web/web1: no"}],
    "held": ["192.0.2.1/24"], "vrrp": [],
    "servers": [{"name": "web1", "weight": 1}, {"name": "web2", "weight": 2}]}}])");
  const auto after = [&](const char* pointer, const char* value) {
    auto today = recorded;
    today[ordered_json::json_pointer(pointer)] = ordered_json::parse(value);
    return lines(breaches(recorded, today, names));
  };
  CHECK(after("/0/body/started", R"("2027-01-01 10:00:00+01:00")") == "");
  CHECK(after("/0/body/reason", R"("web/web1: no answer since 10:00")") == "");
  CHECK(after("/0/body/problems", R"(["other", "web/web1: it fails"])") == "");
  CHECK(after("/0/body/warnings/0/text", R"("not web/web1")") == "");
  CHECK(after("/0/body/servers", R"([{"name": "web2", "weight": 2, "age": 5}, {"name": "web1", "weight": 1}])") == "");
  CHECK(after("/0/body/new", "[]") == "");

  CHECK(after("/0/status", "404") == "GET /v1/x:.status was 200, is 404\n");
  CHECK(after("/0/body/weight", R"("3")") == "GET /v1/x:.body.weight was a number, is a string\n");
  CHECK(after("/0/body/started", "5") == "GET /v1/x:.body.started was a string, is a number\n");
  CHECK(after("/0/body/drained", "true") == "GET /v1/x:.body.drained was false, is true\n");
  CHECK(after("/0/body/reason", R"("it is down")").contains(".reason said \"web/web1 is down\""));
  CHECK(after("/0/body/problems", "[]").contains("no longer holds a sentence such as \"server web/web1 fails\""));
  CHECK(after("/0/body/warnings/0/text", R"("no")").contains(".text said \"web/web1: no\""));
  CHECK(after("/0/body/warnings/0/line", "8") == "GET /v1/x:.body.warnings[line 9] is gone\n");
  CHECK(after("/0/body/held", "[]").contains(".held was"));
  CHECK(after("/0/body/servers", R"([{"name": "web1", "weight": 1}])") ==
        "GET /v1/x:.body.servers[name \"web2\"] is gone\n");
  CHECK(after("/0/body/servers/1", R"({"name": "web2"})") ==
        "GET /v1/x:.body.servers[name \"web2\"].weight is gone; it was 2\n");
  CHECK(after("/0/body", R"({"node": "lb1"})").contains(".body.weight is gone"));
  CHECK(lines(breaches(recorded, ordered_json::array(), names)) == "1 answers were recorded, 0 are given\n");
}

TEST_CASE("record the answers of the programs in PROGRAMS into the file RECORD", "[.record]") {
  const char* programs = std::getenv("PROGRAMS");
  const char* file = std::getenv("RECORD");
  REQUIRE((programs != nullptr && file != nullptr));
  contract::save(file, answers_of(programs));
}
