// The kernel loses its IPVS and gets it back, under directors that run: `rmmod ip_vs`, as whoever mends a machine does.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/pair.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

/// The rules and sync daemons as ipvsctl lists them, without counters.
std::string rules(const Pair& pair, const Pair::Director& director) {
  const auto ipvsctl = (pair.options.programs / "ipvsctl").string();
  return lab::run(*director.host, {ipvsctl, "-Sn"}).text + lab::run(*director.host, {ipvsctl, "-Ln", "--daemon"}).text;
}

/// All of both hosts goes first: their kernel is one, and a module that is in use stays.
bool remove_module(const Pair& pair) {
  const auto ipvsctl = (pair.options.programs / "ipvsctl").string();
  for (const auto& director : pair.directors) {
    lab::run(*director.host, {ipvsctl, "--stop-daemon", "master"});
    lab::run(*director.host, {ipvsctl, "--stop-daemon", "backup"});
    lab::run(*director.host, {ipvsctl, "-C"});
  }
  const auto removed = lab::run(*pair.lb1.host, {"sh", "-c", "rmmod $(lsmod | grep -o '^ip_vs_[a-z]*') ip_vs"});
  INFO(removed.text);
  return removed.status == 0;
}

}  // namespace

TEST_CASE("a kernel that loses ip_vs is told of at once, and has its table and its daemons again", "[module]") {
  Pair pair({.forward = Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()});
  for (auto& director : pair.directors) pair.start(director);
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1); }, 15s));
  lab::Prober prober(*pair.client, pair.service);
  REQUIRE(prober.settle(500ms, 10s));
  const auto before = rules(pair, pair.lb1);
  REQUIRE(before.contains("192.168.56.10:80"));
  REQUIRE(before.contains("master sync daemon"));

  // The directors put back what is cleared within a second, and the module is in use again.
  REQUIRE(lab::wait_until([&] { return remove_module(pair); }, 20s));
  const auto tells = [&](const char* kind) {
    const auto events = nlohmann::json::parse(pair.ctl(pair.lb1, {"events", "--json"}).text, nullptr, false);
    return std::ranges::any_of(events.value("events", nlohmann::json::array()),
                               [&](const auto& event) { return event["kind"] == kind; });
  };
  INFO(pair.evidence());
  CHECK(lab::wait_until([&] { return tells("table_lost"); }, 2s));
  CHECK(lab::wait_until([&] { return tells("table_found"); }, 10s));
  CHECK(lab::wait_until([&] { return rules(pair, pair.lb1) == before; }, 10s));
  CHECK(prober.settle(500ms, 10s));
  const auto problems = [&] { return pair.status(pair.lb1)["problems"]; };
  lab::wait_until([&] { return problems().empty(); }, 5s);
  CHECK(problems().dump() == "[]");
}
