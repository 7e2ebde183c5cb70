// Operators' orders on a real pair: in force on both, whichever was asked, before, during and after a failover.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/pair.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

constexpr auto agreement = 1s;  // an order is in force on all within it
constexpr auto return_time = 5s;

/// The set-up's file, with a key that its directors share.
std::string cluster_file(const Pair& pair) {
  const auto keys = pair.folder / "peers.keys";
  const auto made = lab::run(*pair.lb1.host, {pair.options.programs / "directorctl", "keygen", keys});
  if (made.status != 0) FAIL("directorctl keygen: " << made.text);
  return pair.cluster_file() + fmt::format("peers: {{ keys: {} }}\n", keys.string());
}

void start(Pair& pair) {
  pair.write(cluster_file(pair));
  REQUIRE(pair.start_both());
  const auto connected = [&](const Pair::Director& director) {
    const auto status = pair.status(director);
    return !status.is_discarded() && status["nodes"][0]["orders"]["state"] == "connected";
  };
  REQUIRE(lab::wait_until([&] { return connected(pair.lb1) && connected(pair.lb2); }, 5s));
}

/// How many requests that were begun from `begin` to now a server has answered, of those that are over.
int answered_by(const lab::Prober& prober, const Pair::Web& web, net::Instant begin) {
  REQUIRE(prober.settle(300ms, 10s));
  const auto tally = prober.tally(begin, std::chrono::steady_clock::now() - lab::Prober::limit);
  const auto found = tally.by_server.find(web.host->name);
  return found == tally.by_server.end() ? 0 : found->second;
}

}  // namespace

TEST_CASE("a drain holds on both directors, whichever was told, and through each failover", "[orders]") {
  for (const auto forward : {Pair::Forward::nat, Pair::Forward::dr}) {
    Pair pair({.forward = forward, .advertise = 100ms, .programs = lab::programs_folder()});
    start(pair);
    const auto drained = [&](const Pair::Director& director) {
      return lab::weight_of(*director.host, pair.web1.endpoint) == 0;
    };
    const lab::Prober prober(*pair.client, pair.service);
    REQUIRE(prober.settle(300ms, 10s));
    // Told to the backup, it holds on the master.
    const auto told = pair.ctl(pair.lb2, {"drain", "web/web1", "--reason", "disk"});
    INFO(told.text << pair.evidence());
    CHECK(told.status == 0);
    CHECK(told.text.find("held by lb1, lb2") != std::string::npos);
    auto begun = std::chrono::steady_clock::now();
    REQUIRE(lab::wait_until([&] { return drained(pair.lb1) && drained(pair.lb2); }, agreement));
    const auto took = std::chrono::steady_clock::now() - begun;
    begun = std::chrono::steady_clock::now();

    pair.kill(pair.lb1);
    REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb2) && !pair.holds_any(pair.lb1); }, 5s));
    CHECK(answered_by(prober, pair.web1, begun) == 0);

    // While lb1 is away its order is taken back, and another one given: it returns with neither of the old ones.
    CHECK(pair.ctl(pair.lb2, {"undrain", "web/web1"}).text.find("lb1 not reached for") != std::string::npos);
    CHECK(pair.ctl(pair.lb2, {"drain", "web/web2"}).status == 0);
    begun = std::chrono::steady_clock::now();
    pair.start(pair.lb1);
    REQUIRE(lab::wait_until(
        [&] {
          return lab::weight_of(*pair.lb1.host, pair.web2.endpoint) == 0 &&
                 lab::weight_of(*pair.lb1.host, pair.web1.endpoint) == pair.web1.weight;
        },
        return_time));
    REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1) && !pair.holds_any(pair.lb2); }, 10s));
    CHECK(answered_by(prober, pair.web2, begun) == 0);
    CHECK(answered_by(prober, pair.web1, begun) > 100);
    WARN(fmt::format("{}: an order was in both kernels {} ms after its answer", to_string(forward),
                     std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  }
}

// Its answers do not reach lb2, as with a firewall or a cable.
TEST_CASE("a server that one director cannot reach is a problem on both, with both reasons", "[orders]") {
  Pair pair({.forward = Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()});
  start(pair);
  const auto has_problem = [](const nlohmann::json& status, const std::string& what) {
    return !status.is_discarded() && std::ranges::any_of(status["problems"], [&](const auto& problem) {
      return problem.template get<std::string>().contains(what);
    });
  };
  const auto told = [&] {
    return has_problem(pair.status(pair.lb1), "server web/web2: up here (GET ") &&
           has_problem(pair.status(pair.lb2), "server web/web2: down here (");
  };
  REQUIRE(lab::run(*pair.web2.host, {"ip", "route", "add", "blackhole", "192.168.200.252/32"}).status == 0);
  REQUIRE(lab::wait_until([&] { return lab::weight_of(*pair.lb2.host, pair.web2.endpoint) == 0; }, 10s));
  CHECK_FALSE(told());
  CHECK(lab::wait_until(told, 40s));
  CHECK(lab::weight_of(*pair.lb1.host, pair.web2.endpoint) == pair.web2.weight);
  const auto text = pair.ctl(pair.lb1, {"status"}).text;
  INFO(text << pair.evidence());
  CHECK(text.contains("ready; back backup, front backup; 1 of 2 servers in service; down: web/web2 ("));
  REQUIRE(lab::run(*pair.web2.host, {"ip", "route", "del", "blackhole", "192.168.200.252/32"}).status == 0);
  CHECK(lab::wait_until([&] { return pair.status(pair.lb1)["problems"].empty(); }, 10s));
}
