#include "director/engine/report_differences.h"

#include "test/catch.h"

using director::ReportDifferences;
using director::ServiceReport;
using namespace std::chrono_literals;

namespace {

struct World {
  ReportDifferences differences;
  net::Instant now{1h};
  ServiceReport own{.table = "a"}, theirs{.table = "a"};
  bool same_files = true;

  /// What is told `later`.
  std::vector<std::string> told(net::Duration later) {
    differences.compare("lb2", "web", &own, &theirs, same_files, now);
    now += later;
    std::vector<std::string> texts;
    for (const auto& [subject, text] : differences.take_notices(now)) texts.push_back(subject + ": " + text);
    return texts;
  }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a server that is up here and down there for long is told with both reasons, once, and its end") {
  World world;
  world.own.up["web1"] = "status 200";
  world.theirs.down["web1"] = {.reason = "timed out", .since = {}};
  CHECK(world.told(29s).empty());
  CHECK(world.told(1s) ==
        Texts{"server web/web1: up here (status 200), down on lb2 (timed out); the usual causes are a firewall or a "
              "cable between lb2 and the server"});
  CHECK(world.told(1h).empty());
  CHECK(world.differences.lasting().size() == 1);
  world.theirs.down.clear();
  CHECK(world.told(0s) == Texts{"server web/web1: "});
  CHECK(world.differences.lasting().empty());
}

TEST_CASE("a server that is down here and up there is told too") {
  World world;
  world.own.down["web1"] = {.reason = "refused", .since = {}};
  CHECK(world.told(1h).empty());  // they have not said that it is up there: it may be new
  world.theirs.up["web1"] = "status 200";
  CHECK(
      world.told(30s) ==
      Texts{"server web/web1: down here (refused), up on lb2 (status 200); the usual causes are a firewall or a cable "
            "between this node and the server"});
}

TEST_CASE("what differs for a moment is not told, and begins anew") {
  World world;
  world.own.up["web1"] = "status 200";
  world.theirs.down["web1"] = {};
  CHECK(world.told(29s).empty());
  world.theirs.down.clear();
  CHECK(world.told(0s).empty());
  world.theirs.down["web1"] = {};
  CHECK(world.told(29s).empty());
}

TEST_CASE("tables that differ while nothing changes are told, but not where the checks differ or the files do") {
  World world;
  world.theirs.table = "b";
  CHECK(world.told(59s).empty());
  world.theirs.table = "c";  // a weight that rises
  CHECK(world.told(59s).empty());
  CHECK(world.told(1s).size() == 1);
  world.same_files = false;
  CHECK(world.told(1h) == Texts{"service web: "});
  world.same_files = true;
  world.own.down["web1"] = {};
  world.theirs.up["web1"] = "";
  const auto told = world.told(1h);
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("server web/web1: down here"));
}

TEST_CASE("a node that is out of reach differs in nothing") {
  World world;
  world.theirs.table = "b";
  CHECK(world.told(60s).size() == 1);
  world.differences.forget("lb2");
  REQUIRE(world.differences.take_notices(world.now).size() == 1);
  CHECK(world.differences.lasting().empty());
}
