// Changes under traffic: what an administrator does to a director that serves, and what the clients see of it.

#include <fmt/format.h>

#include <fstream>
#include <list>
#include <random>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/pair.h"
#include "test/lab/process.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// What a reload may take until the kernel has it: directorctl's own start is the most of it.
constexpr auto soon = 1500ms;

constexpr auto web1 = "192.168.200.11:80", web2 = "192.168.200.12:80", web3 = "192.168.200.11:81";

lab::Pair::Options nat(milliseconds advertise) {
  return {.forward = lab::Pair::Forward::nat, .advertise = advertise, .programs = lab::programs_folder()};
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

bool listed(const lab::Host& host, std::string_view endpoint) {
  for (const auto& service : lab::parse_ipvs_table(host.proc_net("ip_vs"))) {
    for (const auto& destination : service.destinations) {
      if (destination.endpoint == endpoint) return true;
    }
  }
  return false;
}

std::size_t services(const lab::Host& host) { return lab::parse_ipvs_table(host.proc_net("ip_vs")).size(); }

/// How often lb1 has become master, over all its lives.
std::size_t masters(const lab::Pair& pair) {
  std::ifstream log(pair.folder / "lb1.log");
  std::size_t count = 0;
  for (std::string line; std::getline(log, line);) count += line.contains("vrrp back") && line.contains("-> master");
  return count;
}

/// A pair of directors that serve, a request every 3 ms, and downloads that run on.
struct Site {
  lab::Pair pair;
  lab::WebServer third{*pair.web1.host, 81};
  lab::Pulse pulse;
  std::optional<lab::Prober> prober;
  std::list<lab::Download> downloads;
  net::Instant began;

  explicit Site(bool both, milliseconds advertise = 100ms) : pair(nat(advertise)) {
    pair.start(pair.lb1);
    if (both) pair.start(pair.lb2);
    const bool serves = lab::wait_until(
                            [&] {
                              return pair.holds_both(pair.lb1) && lab::weight_of(*pair.lb1.host, web1) == 3 &&
                                     lab::weight_of(*pair.lb1.host, web2) == 1;
                            },
                            20s)
                            .has_value();
    INFO(pair.evidence());
    REQUIRE(serves);
    prober.emplace(*pair.client, pair.service);
    REQUIRE(prober->settle(300ms, 3s));
    began = net::monotonic_now();
  }

  /// A download that `server` serves; others that come up meanwhile run on too.
  lab::Download& download_from(std::string_view server, std::chrono::seconds length) {
    for (;;) {
      auto& download = downloads.emplace_back(*pair.client, pair.service, length);
      const auto came = lab::wait_until([&] { return !download.server().empty() || download.ended(); }, 5s);
      INFO(pair.evidence());
      REQUIRE(came);
      if (download.server() == server) return download;
    }
  }

  /// Another cluster file takes force: the exit status of directorctl.
  int reload(const std::string& file) {
    pair.write(file);
    return pair.ctl(pair.lb1, {"reload"}).status;
  }

  bool within(net::Duration limit, const std::function<bool()>& holds) {
    const auto begin = net::monotonic_now();
    const bool held = lab::wait_until(holds, limit + 3s).has_value();
    const auto now = net::monotonic_now();
    INFO(pair.evidence());
    CHECK(held);
    return held && now - begin <= limit + pulse.stood_still(begin, now);
  }

  /// Requests that failed since `since`, and how many there were.
  lab::Prober::Outage requests(net::Instant since) {
    lab::sleep_for(lab::Prober::limit);
    return prober->outage(since, net::monotonic_now() - lab::Prober::limit);
  }

  void all_downloads_complete() {
    for (auto& download : downloads) {
      CHECK(lab::wait_until([&] { return download.ended(); }, 60s));
      INFO("through " << download.server() << "\n" << pair.evidence());
      CHECK(download.complete());
    }
  }
};

}  // namespace

TEST_CASE("servers and services come, change and go without a lost request", "[change]") {
  Site site(true);
  auto file = site.pair.cluster_file();
  site.download_from("web1", 12s);
  auto& through_web2 = site.download_from("web2", 12s);

  file = with(file, "      web2:", "      web3: { address: '192.168.200.11:81' }\n      web2:");
  CHECK(site.reload(file) == 0);
  CHECK(site.within(soon + lab::Pair::time_to_in, [&] { return lab::weight_of(*site.pair.lb1.host, web3) == 1; }));

  file = with(file, "192.168.200.12 }", "192.168.200.12, weight: 4 }");
  CHECK(site.reload(file) == 0);
  CHECK(site.within(soon, [&] { return lab::weight_of(*site.pair.lb1.host, web2) == 4; }));

  const std::string more =
      "  more:\n    listen: 192.168.56.10:8080\n    servers: { web1: { address: '192.168.200.11:81' } }\n";
  CHECK(site.reload(file + more) == 0);
  CHECK(site.within(soon, [&] { return services(*site.pair.lb1.host) == 2; }));
  CHECK(site.reload(file) == 0);
  CHECK(site.within(soon + 2s, [&] { return services(*site.pair.lb1.host) == 1; }));

  // web2 leaves with an open download: no new connections, and it goes when that has ended.
  REQUIRE_FALSE(through_web2.ended());
  CHECK(site.reload(with(file, "      web2: { address: 192.168.200.12, weight: 4 }\n", "")) == 0);
  CHECK(site.within(soon, [&] { return lab::weight_of(*site.pair.lb1.host, web2) == 0; }));
  CHECK(listed(*site.pair.lb1.host, web2));
  CHECK_FALSE(through_web2.ended());
  CHECK(lab::wait_until([&] { return through_web2.ended(); }, 30s));
  // Then its connection is in TIME_WAIT, which the kernel counts for two minutes: it is still there.
  CHECK(listed(*site.pair.lb1.host, web2));

  site.all_downloads_complete();
  const auto seen = site.requests(site.began);
  fmt::print("five reloads: {} requests, {} failed; {} downloads, none broken\n", seen.answered + seen.failed,
             seen.failed, site.downloads.size());
  CHECK(seen.failed == 0);
  CHECK(site.pair.holds_both(site.pair.lb1));
}

TEST_CASE("a file with mistakes, and rules deleted by hand, change nothing for long", "[change]") {
  Site site(false);
  auto& download = site.download_from("web1", 8s);
  CHECK(site.reload(with(site.pair.cluster_file(), "scheduler: wrr", "scheduler: wwr")) == 1);
  const auto quiet = site.requests(site.began);
  CHECK(quiet.failed == 0);

  const auto ipvsctl = site.pair.options.programs / "ipvsctl";
  const auto daemons = [&] { return lab::run(*site.pair.lb1.host, {ipvsctl, "-L", "--daemon"}).text; };
  CHECK(daemons().contains("master sync daemon"));
  CHECK(site.reload(with(site.pair.cluster_file(), "connection_sync: { interface: enp0s8, id: 1 }\n", "")) == 0);
  CHECK(site.within(soon, [&] { return daemons().empty(); }));
  CHECK(lab::run(*site.pair.lb1.host, {ipvsctl, "-D", "-t", "192.168.56.10:80"}).status == 0);
  CHECK(site.within(2s, [&] { return lab::weight_of(*site.pair.lb1.host, web1) == 3; }));
  REQUIRE(site.prober->settle(300ms, 5s));
  const auto repaired = net::monotonic_now();
  CHECK(lab::wait_until([&] { return download.ended(); }, 30s));
  const auto after = site.requests(repaired);
  fmt::print("rules deleted by hand: {} requests failed before they were back\n", site.requests(site.began).failed);
  CHECK(after.failed == 0);
  site.all_downloads_complete();
}

// The program on disk is the same one here; what counts is that another takes its place.
TEST_CASE("a new program takes over from a running one, again and again, and nobody notices", "[change]") {
  Site site(false, 300ms);
  REQUIRE(site.pair.ctl(site.pair.lb1, {"drain", "web/web2"}).status == 0);
  site.downloads.emplace_back(*site.pair.client, site.pair.service, 6s);
  for (int i = 0; i < 5; ++i) {
    const auto done = site.pair.ctl(site.pair.lb1, {"replace"});
    INFO(done.text);
    CHECK(done.status == 0);
    CHECK(site.pair.holds_both(site.pair.lb1));
  }
  CHECK(lab::weight_of(*site.pair.lb1.host, web2) == 0);
  site.all_downloads_complete();
  const auto seen = site.requests(site.began);
  fmt::print("5 replacements: {} requests, {} failed; {} downloads, none broken\n", seen.answered + seen.failed,
             seen.failed, site.downloads.size());
  CHECK(seen.failed == 0);
}

TEST_CASE("a reload a second for a minute loses no request and delays no verdict", "[reloads]") {
  Site site(false);
  auto& download = site.download_from("web1", 50s);  // before web3 is there, which is the same host
  const auto file =
      with(site.pair.cluster_file(), "      web2:", "      web3: { address: '192.168.200.11:81' }\n      web2:");
  REQUIRE(site.reload(file) == 0);
  REQUIRE(site.within(soon + lab::Pair::time_to_in, [&] { return lab::weight_of(*site.pair.lb1.host, web3) == 1; }));
  std::optional<net::Instant> killed;
  net::Duration verdict{};
  int refused = 0;
  for (int second = 1; second <= 60; ++second) {
    const auto due = net::monotonic_now() + 1s;
    refused += site.reload(with(file, "weight: 3", fmt::format("weight: {}", 3 + second % 2))) == 0 ? 0 : 1;
    if (second == 20) {
      killed = net::monotonic_now();
      site.third.kill();
    }
    if (killed && verdict == net::Duration::zero()) {
      const auto out =
          lab::wait_until([&] { return lab::weight_of(*site.pair.lb1.host, web3) == 0; }, due - net::monotonic_now());
      if (out) verdict = net::monotonic_now() - *killed;
    }
    if (net::monotonic_now() < due) lab::sleep_for(due - net::monotonic_now());
  }
  CHECK(refused == 0);
  const auto bound = lab::Pair::time_to_out + 100ms;
  fmt::print("60 reloads: a dead server was out after {} ms (at most {})\n",
             std::chrono::duration_cast<milliseconds>(verdict).count(), bound.count());
  CHECK(verdict > net::Duration::zero());
  CHECK(verdict <= bound + site.pulse.stood_still(*killed, *killed + 3s));
  // Before the server died no request may fail, and none after it was out.
  const auto before = site.prober->outage(site.began, *killed - lab::Prober::limit);  // all were answered by then
  const auto after = site.requests(*killed + verdict + 100ms);
  fmt::print("60 reloads: {} requests, {} failed\n", before.answered + after.answered, before.failed + after.failed);
  CHECK(before.failed == 0);
  CHECK(after.failed == 0);
  CHECK(lab::wait_until([&] { return download.ended(); }, 30s));
  CHECK(download.complete());
}

// Without a peer: its addresses outlive it by their lease, and the next life goes on before that ends.
TEST_CASE("a connection goes on through a backup whose file has lost its server before it was told of it", "[change]") {
  Site site(true);
  auto& pair = site.pair;
  const auto short_drain = with(pair.cluster_file(), "    servers:\n", "    drain_time: 1s\n    servers:\n");
  pair.write(with(short_drain, "      web2: { address: 192.168.200.12 }\n", ""));
  REQUIRE(pair.ctl(pair.lb2, {"reload", "--yes"}).status == 0);
  REQUIRE(lab::wait_until([&] { return !listed(*pair.lb2.host, web2); }, 5s));
  const auto& download = site.download_from("web2", 8s);
  lab::sleep_for(2s);  // the kernels tell each other of it
  REQUIRE(pair.ctl(pair.lb1, {"failover", "front"}).status == 0);
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb2) && !pair.holds_any(pair.lb1); }, 3s));
  REQUIRE(!download.ended());
  CHECK(lab::wait_until([&] { return download.ended(); }, 10s));
  CHECK(download.complete());
}

TEST_CASE("a director killed at fifty random moments and started again loses no connection and no drain", "[kills]") {
  Site site(false, 300ms);  // leases of 2 s: a program's start takes long in the lab
  REQUIRE(site.pair.ctl(site.pair.lb1, {"weight", "web/web1", "5"}).status == 0);
  std::mt19937 random(20261121);  // NOLINT: replayable
  std::uniform_int_distribution<int> alive_for(0, 800);
  for (int life = 1; life <= 50; ++life) {
    if (life % 5 == 1) site.downloads.emplace_back(*site.pair.client, site.pair.service, 4s);
    if (life == 25) REQUIRE(site.pair.ctl(site.pair.lb1, {"drain", "web/web2", "--reason", "half way"}).status == 0);
    lab::sleep_for(milliseconds(alive_for(random)));
    const auto lives = masters(site.pair);
    site.pair.kill(site.pair.lb1);
    site.pair.start(site.pair.lb1);
    CHECK(lab::wait_until([&] { return masters(site.pair) > lives; }, 10s));
  }
  CHECK(site.within(5s, [&] { return site.pair.ctl(site.pair.lb1, {"status"}).status == 0; }));
  CHECK(lab::weight_of(*site.pair.lb1.host, web1) == 5);
  CHECK(lab::weight_of(*site.pair.lb1.host, web2) == 0);
  site.all_downloads_complete();
  const auto seen = site.requests(site.began);
  fmt::print("50 kills: {} requests, {} failed; {} downloads, none broken\n", seen.answered + seen.failed, seen.failed,
             site.downloads.size());
  // A start that takes longer than the lease is left loses requests: whether the machine stood still shows here.
  const auto stood_still =
      std::chrono::duration_cast<milliseconds>(site.pulse.stood_still(site.began, net::monotonic_now()));
  INFO("the lab was stalled for " << stood_still.count() << " ms in all\n" << site.pair.evidence());
  CHECK(seen.failed == 0);
}
