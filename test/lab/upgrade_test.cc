// A released version beside today's in one pair: while a pair is upgraded, and when one goes back. old_version builds
// it.

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <list>
#include <nlohmann/json.hpp>
#include <random>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/holders.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/pair.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;
using lab::Pair;
using nlohmann::json;
using std::chrono::milliseconds;

namespace {

constexpr auto margin = 50ms;  // as the scenario's: the kernel's, and the prober's own error
constexpr auto web1 = "192.168.200.11:80", web2 = "192.168.200.12:80";

std::filesystem::path today() { return lab::programs_folder(); }

std::filesystem::path old() {
  const std::filesystem::path folder = "build/old/0.1.0";
  INFO("test/lab/old_version 0.1.0 builds it");
  REQUIRE(std::filesystem::exists(folder / "commit"));
  return std::filesystem::absolute(folder);
}

/// `file` with a line for each virtual router, after its `preempt`.
std::string with_each_router(std::string file, const std::string& line) {
  for (std::size_t at = 0; (at = file.find("    preempt: ", at)) != std::string::npos;) {
    file.insert(at, line);
    at += line.size() + 1;
  }
  return file;
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A pair of which each director has a version of its own, with requests flowing.
struct Versions {
  Pair pair;
  std::string file;
  lab::Pulse pulse;
  std::optional<lab::Prober> prober;

  Versions(const std::filesystem::path& lb1, const std::filesystem::path& lb2, bool sign,
           milliseconds advertise = 100ms)
      : pair({.forward = Pair::Forward::nat, .advertise = advertise, .programs = lab::programs_folder()}),
        file(pair.cluster_file()) {
    if (sign) {
      const auto keys = pair.folder / "vrrp.keys";
      std::ofstream(keys) << "1 a secret of the lab\n";
      std::filesystem::permissions(keys, std::filesystem::perms::owner_read);
      file = with_each_router(file, fmt::format("    authentication: {{ keys: {}, mode: enforce }}\n", keys.string()));
      pair.write(file);
    }
    install(pair.lb1, lb1);
    install(pair.lb2, lb2);
    for (auto& director : pair.directors) pair.start(director);
    const bool led = settles(20s);
    INFO(pair.evidence());
    REQUIRE(led);
    prober.emplace(*pair.client, pair.service);
    REQUIRE(prober->settle(500ms, 10s));
  }

  /// These programs are on the director's disk from now on, as after an upgrade of the package.
  void install(Pair::Director& director, const std::filesystem::path& programs) const {
    director.programs = pair.runtime_folder(director) / "bin";
    std::filesystem::create_directories(director.programs);
    for (const auto* name : {"directord", "directorctl"}) {
      std::filesystem::remove(director.programs / name);
      std::filesystem::create_symlink(programs / name, director.programs / name);
    }
  }

  /// Who holds both addresses alone; nobody where none does, or both.
  [[nodiscard]] Pair::Director* leader() {
    const bool one = pair.holds_both(pair.lb1) && !pair.holds_any(pair.lb2);
    const bool two = pair.holds_both(pair.lb2) && !pair.holds_any(pair.lb1);
    return one ? &pair.lb1 : two ? &pair.lb2 : nullptr;
  }

  /// One leads, the other stands by, and both say so.
  bool settles(net::Duration limit) {
    const auto says = [&](const Pair::Director& director, const char* role) {
      const auto status = pair.status(director);
      const auto routers = status.is_object() ? status.value("vrrp", json::array()) : json::array();
      return routers.size() == 2 && routers[0]["state"] == role && routers[1]["state"] == role;
    };
    return lab::wait_until(
               [&] {
                 auto* one = leader();
                 if (one == nullptr) return false;
                 auto& other = one == &pair.lb1 ? pair.lb2 : pair.lb1;
                 return says(*one, "master") && says(other, "backup");
               },
               limit)
        .has_value();
  }

  /// What each says it has refused of the other's advertisements; "" if nothing.
  std::string refused() {
    std::string all;
    for (const auto& director : pair.directors) {
      const auto said = json::parse(pair.ctl(director, {"vrrp", "--json"}).text, nullptr, false);
      if (!said.is_object()) return director.host->name + " does not answer\n";
      for (const auto& router : said["vrrp"]) {
        const auto& adverts = router["adverts"];
        if (adverts["refused"].empty() && adverts["other_address_list"] == 0) continue;
        all += fmt::format("{}: {}: {}\n", director.host->name, router["name"].get<std::string>(), adverts.dump());
      }
    }
    return all;
  }
};

/// What can befall a pair, one thing after the other, chosen by a seed; after each the pair settles.
class Faults {
 public:
  Faults(Versions& site, std::uint32_t seed) : site_(site), pair_(site.pair), random_(seed) {}

  void befall(net::Duration time) {
    const lab::Holders holders(pair_);
    const auto end = net::monotonic_now() + time;
    while (net::monotonic_now() < end) one();
    for (const auto& [address, both] : holders.longest()) {
      const auto lost = site_.pulse.stood_still(both.begin, both.end);
      fmt::print("{} had two holders for {} ms at most\n", to_string(address),
                 std::chrono::duration_cast<milliseconds>(both.end - both.begin).count());
      CHECK(both.end - both.begin <= lease + pair_.options.advertise + margin + lost);
    }
    const auto seen = site_.prober->outage(began_, net::monotonic_now() - lab::Prober::limit);
    fmt::print("{} faults: {} requests answered, {} lost; longest outage {} ms\n", count_, seen.answered,
               site_.prober->tally(began_, net::monotonic_now()).failed,
               std::chrono::duration_cast<milliseconds>(seen.longest).count());
  }

 private:
  static constexpr auto lease = 1s;  // four intervals, in whole seconds

  void one() {
    auto& director = pair_.directors[random_() % 2];
    const auto pause = milliseconds(100 + random_() % 2000);
    const auto begin = net::monotonic_now();
    const auto what = strike(director, pause);
    ++count_;
    INFO("fault " << count_ << ": " << what);
    const bool settled = site_.settles(20s);
    CHECK(settled);
    CHECK(site_.prober->settle(300ms, 5s));
    if (!settled) UNSCOPED_INFO(pair_.evidence());
    const auto refused = site_.refused();
    CHECK(refused == "");
    const auto seen = site_.prober->outage(begin, net::monotonic_now() - lab::Prober::limit);
    const auto lost = site_.pulse.stood_still(begin, seen.over);
    const auto ms = [](net::Duration time) { return std::chrono::duration_cast<milliseconds>(time).count(); };
    fmt::print("{}: outage {} ms{}\n", what, ms(seen.longest),
               lost > 0ms ? fmt::format(", the lab was stalled for {} ms", ms(lost)) : "");
    CHECK(seen.longest <= pair_.master_down_interval(pair_.lb2) + margin + lost);
  }

  std::string strike(Pair::Director& director, milliseconds pause) {
    const auto named = [&](const char* what) {
      return fmt::format("{} {} for {} ms", what, director.host->name, pause.count());
    };
    switch (random_() % 7) {
      case 0:
        pair_.kill(director);
        lab::sleep_for(pause);
        pair_.start(director);
        return named("kill");
      case 1:
        director.process->signal(SIGSTOP);
        lab::sleep_for(pause);
        director.process->signal(SIGCONT);
        return named("stall");
      case 2:
        pair_.stop(director);
        CHECK(director.process->wait(5s) == 0);
        lab::sleep_for(pause);
        pair_.start(director);
        return named("restart");
      case 3: {
        const auto* network = random_() % 2 == 0 ? "front" : "back";
        pair_.topology.cut(*director.host, network);
        lab::sleep_for(pause);
        pair_.topology.restore(*director.host, network);
        return named(network == std::string("front") ? "cut front of" : "cut back of");
      }
      case 4: {
        auto* leader = site_.leader();
        REQUIRE(leader != nullptr);
        const auto answer = pair_.ctl(*leader, {"failover", "front"});
        INFO(answer.text);
        // The one with more priority, who has just come back, may have taken the role before it was asked.
        CHECK((answer.status == 0 || answer.text.contains("not master")));
        lab::sleep_for(pause);
        return "failover from " + leader->host->name;
      }
      case 5:
        pair_.write(with(site_.file, "weight: 3", fmt::format("weight: {}", 2 + count_ % 3)));
        CHECK(pair_.ctl(director, {"reload"}).status == 0);
        return "reload " + director.host->name;
      default:
        CHECK(pair_.ctl(director, {"replace"}).status == 0);
        return "replace " + director.host->name;
    }
  }

  Versions& site_;
  Pair& pair_;
  std::mt19937 random_;
  const net::Instant began_ = net::monotonic_now();
  int count_ = 0;
};

net::Duration time_of_faults() { return std::getenv("LAB_LONG") != nullptr ? 600s : 60s; }

}  // namespace

TEST_CASE("old and new in one pair, signed: one leads, each believes the other, requests are served",
          "[upgrade-signed]") {
  Versions site(old(), today(), true);
  Faults(site, 20261127).befall(time_of_faults());
  // The new one speaks in the old one's form: they know each other.
  const auto agree = [&](const Pair::Director& director) {
    const auto nodes = site.pair.status(director).value("nodes", json::array());
    return nodes.size() == 1 && nodes[0].value("agreement", "") != "unknown";
  };
  CHECK(lab::wait_until([&] { return agree(site.pair.lb1) && agree(site.pair.lb2); }, 5s));
}

TEST_CASE("new and old in one pair, unsigned: one leads, each believes the other, requests are served",
          "[upgrade-unsigned]") {
  Versions site(today(), old(), false);
  Faults(site, 20261128).befall(time_of_faults());
}

TEST_CASE("from old to new and back under traffic: a drain stands, and nothing is lost", "[upgrade]") {
  // The lab takes 0.3 s to load a program, since a page fault is dear there: a Master_Down_Interval of 0.3 s is too
  // short for a replacement to go on as master in time.
  Versions site(old(), old(), true, 300ms);
  auto& pair = site.pair;
  for (const auto& director : pair.directors) {
    REQUIRE(pair.ctl(director, {"drain", "web/web2", "--reason", "kernel update"}).status == 0);
    REQUIRE(lab::weight_of(*director.host, web2) == 0);
  }
  const auto state_of = [&](const Pair::Director& director) {
    std::ifstream in(pair.runtime_folder(director) / "state/state.json");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const auto runs = [&](const Pair::Director& director, const std::filesystem::path& programs) {
    pid_t pid = 0;
    std::ifstream(pair.runtime_folder(director) / "directord.pid") >> pid;
    std::error_code gone;
    return std::filesystem::equivalent(fmt::format("/proc/{}/exe", pid), programs / "directord", gone);
  };
  // Where both are new ones, of the two drains that of lb2 holds: neither knows of the other, and its name is the
  // greater.
  const auto before = state_of(pair.lb2);
  lab::sleep_for(lab::Prober::limit);
  const auto begin = net::monotonic_now();
  const auto pages = pair.web2.server->counters().pages.load();
  std::list<lab::Download> downloads;
  for (int i = 0; i < 3; ++i) downloads.emplace_back(*pair.client, pair.service, 12s);

  for (const auto& programs : {today(), old()}) {
    for (auto* director : {&pair.lb2, &pair.lb1}) {  // the backup first
      site.install(*director, programs);
      const auto replaced = pair.ctl(*director, {"replace"});
      INFO(replaced.text);
      CHECK(replaced.status == 0);
      CHECK(pair.holds_both(pair.lb1));
      CHECK(site.settles(20s));
    }
    for (const auto& director : pair.directors) {
      CHECK(runs(director, programs));
      CHECK(lab::weight_of(*director.host, web2) == 0);
      CHECK(pair.ctl(director, {"servers"}).text.contains("kernel update"));
    }
    CHECK(site.refused() == "");
    // What only the new one can say is beside what the old one reads.
    if (programs == today()) {
      const auto weighed = pair.ctl(pair.lb1, {"weight", "web/web1", "5", "--for", "1h", "--reason", "slow disk"});
      INFO(weighed.text);
      CHECK(weighed.status == 0);
    }
    CHECK(lab::weight_of(*pair.lb1.host, web1) == 5);
  }
  CHECK(pair.ctl(pair.lb1, {"weight", "web/web1", "file"}).status == 0);
  for (auto& download : downloads) {
    CHECK(lab::wait_until([&] { return download.ended(); }, 30s));
    CHECK(download.complete());
  }
  // Nothing else is left of the new one.
  CHECK(state_of(pair.lb1) == before);

  lab::sleep_for(lab::Prober::limit);
  const auto replaced = net::monotonic_now() - lab::Prober::limit;
  const auto tally = site.prober->tally(begin, replaced);
  fmt::print("old, new, old: {} requests, {} lost; 3 downloads, none broken\n",
             site.prober->outage(begin, replaced).answered + tally.failed, tally.failed);
  CHECK(tally.failed == 0);

  // The master by a stop and a start: its peer, of another version, takes over, and gives back. That is a change of
  // roles, which may cost a request that was under way.
  for (const auto& programs : {today(), old()}) {
    const auto stopped = net::monotonic_now();
    site.install(pair.lb1, programs);
    pair.stop(pair.lb1);
    REQUIRE(pair.lb1.process->wait(5s) == 0);
    CHECK(lab::wait_until([&] { return site.leader() == &pair.lb2; }, 5s));
    pair.start(pair.lb1);
    CHECK(lab::wait_until([&] { return site.leader() == &pair.lb1; }, 20s));
    CHECK(site.settles(20s));
    CHECK(runs(pair.lb1, programs));
    CHECK(lab::weight_of(*pair.lb1.host, web2) == 0);
    lab::sleep_for(lab::Prober::limit);
    const auto seen = site.prober->outage(stopped, net::monotonic_now() - lab::Prober::limit);
    const auto lost = site.pulse.stood_still(stopped, seen.over);
    fmt::print("stop and start as {}: outage {} ms\n", programs == today() ? "today's" : "the old one",
               std::chrono::duration_cast<milliseconds>(seen.longest).count());
    CHECK(seen.longest <= pair.options.advertise + margin + lost);
  }
  CHECK(pair.web2.server->counters().pages == pages);
  CHECK_FALSE(site.prober->tally(begin, net::monotonic_now()).by_server.contains("web2"));
}
