#include "test/lab/scenario.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "test/lab/ipvs_table.h"
#include "test/lab/pulse.h"

namespace lab {

namespace {

using namespace std::chrono_literals;
using std::chrono::ceil, std::chrono::milliseconds;

/// What a takeover may take beyond the protocol's own time: the new master's messages to the kernel, its gratuitous
/// ARP, and the prober's own error (7 ms).
constexpr milliseconds margin = 50ms;

/// A program's start: exec, page faults and reading files are 10 to 100 times dearer in the lab's kernel than outside.
constexpr milliseconds start_up = 1500ms;

std::string text(net::Duration duration) { return fmt::format("{} ms", ceil<milliseconds>(duration).count()); }

/// Times are allowed what the machine below the lab took away meanwhile; where a time needs it, the reader is told.
std::string excuse(net::Duration took, net::Duration bound, net::Duration lost) {
  return took <= bound ? "" : fmt::format(" (the lab was stalled for {})", text(lost));
}

class Curtain {
 public:
  Curtain(Audience& audience, const Pair& pair, const Prober& prober) : audience_(audience) {
    audience_.raise_curtain(pair, prober);
  }
  ~Curtain() { audience_.drop_curtain(); }
  Curtain(const Curtain&) = delete;
  Curtain& operator=(const Curtain&) = delete;

 private:
  Audience& audience_;
};

class Play {
 public:
  Play(const Pair::Options& options, Audience& audience) : pair_(options), audience_(audience) {}

  std::vector<Row> perform() {
    if (!start()) return rows_;
    balance();
    prober_.emplace(*pair_.client, pair_.service);
    const Curtain curtain(audience_, pair_, *prober_);
    const bool quiet = prober_->settle(300ms, 3s);
    check("requests go on", "no failure in 300 ms", quiet ? "none" : "some", quiet);
    server_dies();
    drain();
    // A crashed director's addresses are leases: they serve on until lb2 has noticed the silence, then they go by
    // themselves. Leases are of whole seconds, at least four adverts, and the kernel is up to 200 ms late.
    const auto lease = ceil<std::chrono::seconds>(4 * pair_.options.advertise) + 200ms;
    director_dies(
        "4a lb1's directord is killed (SIGKILL)",
        {.takeover = pair_.master_down_interval(pair_.lb2) + margin, .release = lease, .outage = margin},
        [&] { pair_.kill(pair_.lb1); }, [&] { pair_.start(pair_.lb1); });
    // A director that leaves says so: by the back network where the front is cut, for the two move together.
    const auto told = margin;  // lb2 is known to be next: it does not wait
    director_dies(
        "4b lb1 loses its front link", {.takeover = told, .release = told, .outage = told},
        [&] { pair_.cut_off(pair_.lb1); }, [&] { pair_.reconnect(pair_.lb1); });
    director_dies(
        "4c lb1's directord is stopped (SIGTERM)", {.takeover = told, .release = told, .outage = told},
        [&] { pair_.stop(pair_.lb1); }, [&] { pair_.start(pair_.lb1); });
    return rows_;
  }

 private:
  void step(std::string title) {
    step_ = std::move(title);
    audience_.step(step_);
  }

  bool check(std::string what, std::string expected, std::string measured, bool holds) {
    rows_.push_back({.step = step_,
                     .what = std::move(what),
                     .expected = std::move(expected),
                     .measured = std::move(measured),
                     .holds = holds});
    audience_.row(rows_.back());
    if (!holds) {
      const auto evidence = pair_.evidence();
      std::ofstream(pair_.folder / fmt::format("evidence-of-row-{}.txt", rows_.size())) << evidence;
      audience_.evidence(evidence);
    }
    return holds;
  }

  /// Waits for something that must come within `bound` of `since`, and longer, to say how late it came. False if it did
  /// not come.
  template <class Condition>
  bool check_within(std::string what, net::Duration bound, Condition condition,
                    net::Instant since = net::monotonic_now()) {
    const auto patience = bound + 3s;
    const bool came = wait_until(condition, patience).has_value();
    const auto now = net::monotonic_now();
    const auto took = now - since, lost = pulse_.stood_still(since, now);
    check(std::move(what), fmt::format("within {}", text(bound)),
          came ? text(took) + excuse(took, bound, lost) : fmt::format("not in {}", text(patience)),
          came && took <= bound + lost);
    return came;
  }

  /// A ratio of weights 3:1, within one per cent of all requests.
  bool check_ratio(std::string what, const Tally& tally) {
    const auto of = [&](const Pair::Web& web) {
      const auto found = tally.by_server.find(web.host->name);
      return found == tally.by_server.end() ? 0 : found->second;
    };
    const int web1 = of(pair_.web1), web2 = of(pair_.web2), all = web1 + web2;
    const bool holds = tally.failed == 0 && all > 0 && std::abs(web1 - 0.75 * all) <= 0.01 * all;
    return check(std::move(what), "3:1 within 1%, 0 failed", fmt::format("{}:{}, {} failed", web1, web2, tally.failed),
                 holds);
  }

  [[nodiscard]] bool in_everywhere(const Pair::Web& web, int weight) const {
    return std::ranges::all_of(pair_.directors,
                               [&](const auto& lb) { return weight_of(*lb.host, web.endpoint) == weight; });
  }

  [[nodiscard]] bool only_master(const Pair::Director& master, const Pair::Director& other) const {
    return pair_.holds_both(master) && !pair_.holds_any(other);
  }

  /// From its start until lb1 is the master again, whoever is it meanwhile.
  [[nodiscard]] milliseconds takes_back_within() const {
    return Pair::preempt_delay + pair_.master_down_interval(pair_.lb1) + start_up;
  }

  bool start();
  void balance();
  void server_dies();
  void drain();
  /// Of a director's death: until the other has its addresses, until it has none, and without an answer for the client.
  struct Bounds {
    milliseconds takeover, release, outage;
  };
  template <class Kill, class Revive>
  void director_dies(const std::string& title, const Bounds& bounds, Kill kill, Revive revive);
  void check_status(const Pair::Director& director, std::string_view role);
  void check_sync(const Pair::Director& director);
  void check_outage(std::string what, net::Instant begin, net::Duration bound);

  Pair pair_;
  Pulse pulse_;
  Audience& audience_;
  std::optional<Prober> prober_;
  std::string step_;
  std::vector<Row> rows_;
};

bool Play::start() {
  step(fmt::format("0 two directors start ({}, adverts every {})", to_string(pair_.options.forward),
                   text(pair_.options.advertise)));
  for (auto& director : pair_.directors) pair_.start(director);
  // Their Master_Down_Intervals differ by 20 ms: lb2 is first where lb1 takes that much longer to start, and lb1 then
  // waits its preempt delay.
  if (!check_within("lb1 holds both addresses, lb2 none", takes_back_within(),
                    [&] { return only_master(pair_.lb1, pair_.lb2); }))
    return false;
  if (!check_within("both servers in service, on both directors", Pair::time_to_in, [&] {
        return in_everywhere(pair_.web1, pair_.web1.weight) && in_everywhere(pair_.web2, pair_.web2.weight);
      }))
    return false;
  check_status(pair_.lb1, "master");
  check_status(pair_.lb2, "backup");
  for (const auto& director : pair_.directors) check_sync(director);
  return true;
}

/// directorctl says what the kernel says.
void Play::check_status(const Pair::Director& director, std::string_view role) {
  const auto status = pair_.status(director);
  std::vector<std::string> words;
  if (status.is_object()) {
    for (const auto& router : status.value("vrrp", nlohmann::json::array()))
      words.push_back(router.value("state", "?"));
    for (const auto& service : status.value("services", nlohmann::json::array()))
      for (const auto& server : service.value("servers", nlohmann::json::array()))
        words.push_back(fmt::format("{} {}", server.value("name", "?"), server.value("health", "?")));
  }
  const auto expected = fmt::format("{0}, {0}, web1 up, web2 up", role);
  const auto seen = fmt::format("{}", fmt::join(words, ", "));
  check(fmt::format("directorctl status on {}", director.host->name), expected, seen.empty() ? "nothing" : seen,
        seen == expected);
}

/// ipvsadm says what the cluster file wants of the kernel's sync daemons.
void Play::check_sync(const Pair::Director& director) {
  const auto listed = run(*director.host, {"ipvsadm", "--list", "--daemon"}).text;
  const std::string expected =
      "master sync daemon (mcast=enp0s8, syncid=1, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n"
      "backup sync daemon (mcast=enp0s8, syncid=1, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n";
  const bool same = listed == expected;
  check(fmt::format("ipvsadm --list --daemon on {}", director.host->name), "both daemons on enp0s8, syncid 1",
        same ? "both daemons on enp0s8, syncid 1" : listed, same);
}

void Play::balance() {
  step("1 400 requests");
  check_ratio("answers by web1:web2", request(*pair_.client, pair_.service, 400));
}

void Play::server_dies() {
  step("2 web1's server process is killed");
  pair_.web1.server->kill();
  check_within("out of service, on both directors (fall x interval + timeout)", Pair::time_to_out,
               [&] { return in_everywhere(pair_.web1, 0); });
  const auto out = net::monotonic_now();
  sleep_for(1s + Prober::limit);
  const auto after = prober_->outage(out, out + 1s);
  check("requests in the second after it went out of service", "0 failed",
        fmt::format("{} failed, {} answered", after.failed, after.answered), after.failed == 0 && after.answered > 0);

  step("2 web1's server process is back");
  pair_.web1.server->restart();
  check_within("in service, on both directors (rise x interval + timeout)", Pair::time_to_in,
               [&] { return in_everywhere(pair_.web1, pair_.web1.weight); });
  const auto in = net::monotonic_now();
  const auto answered = [&] {
    return prober_->tally(in, net::monotonic_now()).by_server.contains(pair_.web1.host->name);
  };
  check_within("web1 answers again", 100ms, answered);
}

void Play::drain() {
  step("3 directorctl drain web/web2, with a download through it");
  std::optional<Download> download;
  const auto on_web2 = [&] {
    download.emplace(*pair_.client, pair_.service, 3s);
    wait_until([&] { return !download->server().empty() || download->ended(); }, 1s);
    return download->server() == pair_.web2.host->name;
  };
  if (!wait_until(on_web2, 5s)) {
    check("a download through web2", "begins", "none of many went there", false);
    return;
  }
  const auto answer = pair_.ctl(pair_.lb1, {"drain", "web/web2"});
  check("directorctl drain", "exit status 0", fmt::format("exit status {}", answer.status), answer.status == 0);
  sleep_for(20ms);  // a connection that the kernel had sent there already brings its request now
  const auto begin = net::monotonic_now();
  const auto before = pair_.web2.server->counters().pages.load();
  sleep_for(1s + Prober::limit);
  const auto seen = prober_->outage(begin, begin + 1s);
  const auto pages = pair_.web2.server->counters().pages - before;
  check("new connections to web2", "0", fmt::format("{}", pages), pages == 0);
  check("requests meanwhile", "0 failed", fmt::format("{} failed, {} answered", seen.failed, seen.answered),
        seen.failed == 0 && seen.answered > 0);
  wait_until([&] { return download->ended(); }, 8s);
  check("the open download through web2", "complete", download->complete() ? "complete" : "broken off",
        download->complete());

  step("3 directorctl undrain web/web2");
  const auto undrained = pair_.ctl(pair_.lb1, {"undrain", "web/web2"});
  check("directorctl undrain", "exit status 0", fmt::format("exit status {}", undrained.status), undrained.status == 0);
  check_within("web2 has its weight again", 100ms,
               [&] { return weight_of(*pair_.lb1.host, pair_.web2.endpoint) == pair_.web2.weight; });
  const auto back = net::monotonic_now() + 20ms;
  sleep_for(20ms + 400 * Prober::interval + Prober::limit);
  check_ratio("answers by web1:web2", prober_->tally(back, back + 400 * Prober::interval));
}

void Play::check_outage(std::string what, net::Instant begin, net::Duration bound) {
  const bool settled = prober_->settle(300ms, 5s);
  const auto seen = prober_->outage(begin, net::monotonic_now() - Prober::limit);
  const auto lost = pulse_.stood_still(begin, seen.over);
  check(std::move(what), fmt::format("at most {}", text(bound)),
        fmt::format("{}, {} requests lost{}{}", text(seen.longest), seen.failed, settled ? "" : ", and not ended",
                    excuse(seen.longest, bound, lost)),
        settled && seen.longest <= bound + lost);
}

template <class Kill, class Revive>
void Play::director_dies(const std::string& title, const Bounds& bounds, Kill kill, Revive revive) {
  step(title);
  const auto death = net::monotonic_now();
  kill();
  check_within("lb2 holds both addresses", bounds.takeover, [&] { return pair_.holds_both(pair_.lb2); }, death);
  check_within("lb1 holds neither", bounds.release, [&] { return !pair_.holds_any(pair_.lb1); }, death);
  check_outage("the client's outage meanwhile", death, bounds.outage);
  if (pair_.lb1.fate == Pair::Fate::stopped) {
    const auto status = pair_.lb1.process->wait(5s);
    check("lb1's directord ends", "exit status 0", status ? fmt::format("exit status {}", *status) : "not in 5 s",
          status == 0);
  }

  step(step_.substr(0, 2) + " lb1 returns");
  const auto birth = net::monotonic_now();
  revive();
  check_within("lb1 takes back both addresses, lb2 holds neither", takes_back_within(),
               [&] { return only_master(pair_.lb1, pair_.lb2); });
  check_outage("the client's outage meanwhile", birth, margin);
}

}  // namespace

std::vector<Row> play(const Pair::Options& options, Audience& audience) { return Play(options, audience).perform(); }

}  // namespace lab
