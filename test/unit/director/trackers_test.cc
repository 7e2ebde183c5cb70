#include "director/engine/trackers.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "net/kernel_host.h"
#include "test/catch.h"
#include "test/unit/director/scratch.h"

using namespace std::chrono_literals;
using director::Trackers;

namespace {

checkers::Spec present(const std::filesystem::path& file) {
  return {.kind = checkers::Exec{.command = {"/bin/sh", "-c", "test -e " + file.string()}, .user = "root"},
          .interval = 20ms,
          .timeout = 10s,
          .thresholds = {.rise = 1, .fall = 2}};
}

}  // namespace

TEST_CASE("what trackers of a router say together, whenever it changes") {
  const director_test::Scratch scratch;
  const auto file = scratch.path / "there", other = scratch.path / "other";
  std::ofstream(file) << "\n";
  std::ofstream(other) << "\n";
  auto loop = net::Loop::create().value();
  Trackers::Verdict verdict;
  std::vector<std::string> causes;
  net::KernelHost host;
  Trackers trackers(loop, host,
                    [&](const std::string& router, const Trackers::Verdict& told, const std::string& cause) {
                      CHECK(router == "front");
                      verdict = told;
                      causes.push_back(cause);
                    },
                    checkers::make_prober, {});
  const auto until = [&](auto holds) {
    const auto end = net::monotonic_now() + 20s;
    while (!holds() && net::monotonic_now() < end) REQUIRE(loop.turn(10ms));
    return holds();
  };
  config::Cluster cluster;
  auto& router = cluster.virtual_routers.emplace_back();
  router.name = "front";
  router.trackers = {{.name = "a", .link = {}, .check = present(file)},
                     {.name = "b", .link = {}, .check = present(other), .lower = 40},
                     {.name = "c", .link = "lo"},
                     {.name = "d", .link = "no-such", .lower = 5}};
  REQUIRE(trackers.open(cluster));
  trackers.set(cluster);
  CHECK(trackers.verdicts().at("front") == Trackers::Verdict{.fault = "", .lower = 5});
  std::filesystem::remove(other);
  CHECK(until([&] { return verdict.lower == 45; }));
  CHECK(verdict.fault.empty());
  std::filesystem::remove(file);
  CHECK(until([&] { return !verdict.fault.empty(); }));
  CHECK(verdict.fault == "a: exec /bin/sh for 0.0.0.0:0: exit status 1");
  std::ofstream(file) << "\n";
  std::ofstream(other) << "\n";
  CHECK(until([&] { return verdict == Trackers::Verdict{.fault = "", .lower = 5}; }));

  REQUIRE(causes.size() == 4);
  CHECK(causes[0] == "b: exec /bin/sh for 0.0.0.0:0: exit status 1");
  CHECK(causes[1] == "a: exec /bin/sh for 0.0.0.0:0: exit status 1");
  CHECK(std::set{causes[2], causes[3]} == std::set<std::string>{"a passes again", "b passes again"});

  const auto status = trackers.status("front");
  REQUIRE(status.size() == 4);
  CHECK(status[0].name == "a");
  CHECK(status[0].state == checkers::HealthState::up);
  CHECK(status[1].lower == 40);
  CHECK(status[2].reason == "link lo is up");
  CHECK(status[3].state == checkers::HealthState::down);
  CHECK(status[3].reason == "there is no interface no-such");
  CHECK(status[3].since < status[0].since);
  CHECK(trackers.status("back").empty());
}
