// Clients that a service leads back to the same server (`persistence`), while that server dies, comes back, is drained.

#include <fmt/format.h>

#include <deque>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/pair.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

constexpr int requests = 20;

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// The service of docs/examples/shop.yaml: persistence, failed servers at weight 0, a fallback (which has a port of its
/// own here, as only NAT allows).
std::string cluster_file(const Pair& pair) {
  const auto text = with(pair.cluster_file(), "    forward:", "    persistence: 5m\n    forward:");
  if (pair.options.forward == Pair::Forward::dr) return text;
  return with(text, "    servers:", "    fallback: 192.168.200.11:81\n    servers:");
}

std::string setting(const Pair::Director& director) {
  return lab::run(*director.host, {"cat", "/proc/sys/net/ipv4/vs/expire_quiescent_template"}).text;
}

/// The server that answered all of the client's requests; "several" or "failed" otherwise.
std::string answers(const Pair& pair) {
  const auto tally = lab::request(*pair.client, pair.service, requests);
  if (tally.failed != 0) return fmt::format("failed: {} of {}", tally.failed, requests);
  return tally.by_server.size() == 1 ? tally.by_server.begin()->first : "several";
}

/// lb1 leads, and both servers are in.
struct Site {
  Pair pair;
  lab::WebServer sorry{*pair.web1.host, 81};
  /// Where the client is led by its persistence, and the other one.
  Pair::Web *mine = nullptr, *other = nullptr;

  explicit Site(Pair::Forward forward)
      : pair({.forward = forward, .advertise = 100ms, .programs = lab::programs_folder()}) {
    pair.write(cluster_file(pair));
    for (auto& director : pair.directors) pair.start(director);
    const bool leads =
        lab::wait_until([&] { return pair.holds_both(pair.lb1) && !pair.holds_any(pair.lb2); }, 15s).has_value();
    INFO(pair.evidence());
    REQUIRE(leads);
    REQUIRE(in_table(pair.web1, 3));
    REQUIRE(in_table(pair.web2, 1));
    const auto server = answers(pair);
    REQUIRE(server.starts_with("web"));
    mine = server == pair.web1.host->name ? &pair.web1 : &pair.web2;
    other = mine == &pair.web1 ? &pair.web2 : &pair.web1;
  }

  [[nodiscard]] bool in_table(const Pair::Web& web, int weight) const {
    return lab::wait_until([&] { return lab::weight_of(*pair.lb1.host, web.endpoint) == weight; }, 5s).has_value();
  }

  lab::Output ctl(const std::string& verb, const Pair::Web& web) {
    return pair.ctl(pair.lb1, {verb, "web/" + web.host->name});
  }
};

}  // namespace

TEST_CASE("persistent clients leave a server that died, and one that is drained, at once", "[persistence]") {
  const auto forward = GENERATE(Pair::Forward::nat, Pair::Forward::dr);
  INFO(lab::to_string(forward));
  Site site(forward);
  auto& [pair, sorry, mine, other] = site;

  mine->server->kill();
  REQUIRE(site.in_table(*mine, 0));
  CHECK(answers(pair) == other->host->name);
  mine->server->restart();
  REQUIRE(site.in_table(*mine, mine->weight));
  CHECK(answers(pair) == other->host->name);  // persistence: there it is now

  lab::Download open(*pair.client, pair.service, 3s);
  REQUIRE(lab::wait_until([&] { return open.server() == other->host->name; }, 3s));
  REQUIRE(site.ctl("drain", *other).status == 0);
  REQUIRE(site.in_table(*other, 0));
  CHECK(answers(pair) == mine->host->name);
  REQUIRE(site.ctl("undrain", *other).status == 0);
  REQUIRE(site.in_table(*other, other->weight));
  CHECK(answers(pair) == mine->host->name);
  CHECK(lab::wait_until([&] { return open.ended(); }, 6s));
  CHECK(open.complete());
}

TEST_CASE("persistent clients leave the fallback when a server is back", "[persistence]") {
  Site site(Pair::Forward::nat);
  auto& [pair, sorry, mine, other] = site;
  for (auto& web : pair.webs) web.server->kill();
  REQUIRE(lab::wait_until([&] { return lab::weight_of(*pair.lb1.host, "192.168.200.11:81") == 1; }, 5s));
  const auto before = sorry.counters().pages.load();
  CHECK(answers(pair).starts_with("web"));
  CHECK(sorry.counters().pages - before == requests);
  pair.web2.server->restart();
  REQUIRE(site.in_table(pair.web2, 1));
  CHECK(answers(pair) == "web2");
  CHECK(sorry.counters().pages - before == requests);
}

TEST_CASE("the kernel setting of persistence comes and goes with it", "[persistence]") {
  Site site(Pair::Forward::nat);
  auto& pair = site.pair;
  for (const auto& director : pair.directors) CHECK(setting(director) == "1\n");
  pair.write(pair.cluster_file());
  REQUIRE(pair.ctl(pair.lb1, {"reload", "--yes"}).status == 0);
  CHECK(setting(pair.lb1) == "0\n");
  pair.write(cluster_file(pair));
  REQUIRE(pair.ctl(pair.lb1, {"reload", "--yes"}).status == 0);
  CHECK(setting(pair.lb1) == "1\n");
  pair.kill(pair.lb1);
  CHECK(setting(pair.lb1) == "1\n");
  pair.start(pair.lb1);
  REQUIRE(lab::wait_until([&] { return pair.status(pair.lb1).is_object(); }, 5s));
  for (auto& director : pair.directors) {
    pair.stop(director);
    REQUIRE(director.process->wait(5s));
    CHECK(setting(director) == "0\n");
  }
}

TEST_CASE("the director itself is the fallback, its interface has a long altname, all clients are one",
          "[persistence]") {
  const std::string altname = "uplink-of-the-first-rack";
  Pair pair({.forward = Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()});
  std::deque<lab::WebServer> sorry;
  for (auto& director : pair.directors) {
    REQUIRE(lab::run(*director.host, {"ip", "link", "property", "add", "dev", "enp0s3", "altname", altname}).status ==
            0);
    sorry.emplace_back(*director.host, 81);
  }
  // The virtual address, which a loopback address cannot stand in for: the kernel drops what clients send there.
  auto text = with(pair.cluster_file(), "    servers:", "    fallback: 192.168.56.10:81\n    servers:");
  text = with(text, "    forward:", "    persistence: 5m\n    persistence_mask: 0\n    forward:");
  pair.write(with(text, "interface: enp0s3", "interface: " + altname));
  for (auto& director : pair.directors) pair.start(director);
  const bool leads =
      lab::wait_until([&] { return pair.holds_both(pair.lb1) && !pair.holds_any(pair.lb2); }, 15s).has_value();
  INFO(pair.evidence());
  REQUIRE(leads);
  CHECK(lab::wait_until([&] { return lab::weight_of(*pair.lb1.host, pair.web1.endpoint) == 3; }, 5s));
  CHECK(pair.lb1.host->proc_net("ip_vs").contains(" 00000000\n"));
  for (auto& web : pair.webs) web.server->kill();
  REQUIRE(lab::wait_until([&] { return lab::weight_of(*pair.lb1.host, "192.168.56.10:81") == 1; }, 5s));
  CHECK(lab::request(*pair.client, pair.service, requests).failed == 0);
  CHECK(sorry.front().counters().pages == requests);
}
