// Two directors that both work: each leads one of two addresses (with NAT, and the gateway of its servers). What
// happens to one moves what is its own, and nothing of the other's.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/pair.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;
using lab::Pair;
using std::chrono::ceil, std::chrono::milliseconds;

namespace {

/// Twice the scenario's, and a second more for a start: the lab's one CPU serves requests to two addresses.
constexpr auto margin = 100ms, start_up = 2500ms;
/// While a program starts.
constexpr auto busy = 2 * margin;
constexpr auto advertise = 100ms;

/// What one of them leads.
struct Side {
  const char* router;
  Pair::Director& own;    ///< leads it
  Pair::Director& other;  ///< takes it over
  net::Endpoint service;
  std::vector<net::Address> addresses;
  std::optional<lab::Prober> prober{};
};

std::string cluster_file(Pair::Forward forward) {
  const bool nat = forward == Pair::Forward::nat;
  const auto router = [](const char* name, int id, const char* interface, const char* address, int lb1, int lb2) {
    return fmt::format(
        "  {}:\n    {{ router_id: {}, interface: {}, addresses: [{}], advertise: {}ms, preempt: {}ms, priority: {{ "
        "lb1: "
        "{}, lb2: {} }} }}\n",
        name, id, interface, address, advertise.count(), Pair::preempt_delay.count(), lb1, lb2);
  };
  const auto service = [&](const char* name, const char* listen, const char* servers) {
    return fmt::format(
        "  {}:\n    listen: {}\n    scheduler: wrr\n    forward: {}\n    check: {{ http: {{ path: /health }}, "
        "interval: "
        "{}ms, timeout: {}ms, fall: 3 }}\n    servers: {{ {} }}\n",
        name, listen, to_string(forward), Pair::check_interval.count(), Pair::check_timeout.count(), servers);
  };
  constexpr auto web1 = "web1: { address: 192.168.200.11 }", web2 = "web2: { address: 192.168.200.12 }";
  const auto both = fmt::format("{}, {}", web1, web2);
  std::string text =
      "cluster: shop\nnodes:\n  lb1: { address: 192.168.56.11 }\n  lb2: { address: 192.168.56.12 }\nvrrp:\n";
  text += router("one", 51, "enp0s3", "192.168.56.10/24", 150, 100);
  text += router("two", 52, "enp0s3", "192.168.56.20/24", 100, 150);
  if (nat) {
    text += router("gate-one", 53, "enp0s8", "192.168.200.250/24", 150, 100);
    text += router("gate-two", 54, "enp0s8", "192.168.200.249/24", 100, 150);
    text += "groups: [[one, gate-one], [two, gate-two]]\n";
  }
  text += "connection_sync: { interface: enp0s8, id: 1 }\nservices:\n";
  text += service("web-one", "192.168.56.10:80", nat ? web1 : both.c_str());
  text += service("web-two", "192.168.56.20:80", nat ? web2 : both.c_str());
  return text;
}

struct ActivePair {
  explicit ActivePair(Pair::Forward forward)
      : pair{{.forward = forward,
              .advertise = advertise,
              .programs = lab::programs_folder(),
              .priorities = {100, 100}}} {
    if (forward == Pair::Forward::nat) {
      const auto routed =
          lab::run(*pair.web2.host, {"ip", "route", "replace", "default", "via", "192.168.200.249", "dev", "enp0s8"});
      REQUIRE(routed.status == 0);
      one.addresses.push_back(lab::address("192.168.200.250"));
      two.addresses.push_back(lab::address("192.168.200.249"));
    } else {
      for (auto& web : pair.webs) web.host->rtnetlink.add_address("lo", {.address = two.service.address, .length = 32});
    }
    pair.write(cluster_file(forward));
    for (auto& director : pair.directors) pair.start(director);
    REQUIRE(lab::wait_until([&] { return leads(one, one.own) && leads(two, two.own); }, 15s));
    for (auto* side : {&one, &two}) {
      side->prober.emplace(*pair.client, side->service);
      REQUIRE(side->prober->settle(500ms, 10s));
    }
  }

  /// It has all the addresses of that side, and the other director none.
  static bool leads(const Side& side, const Pair::Director& director) {
    const auto& other = &director == &side.own ? side.other : side.own;
    return std::ranges::all_of(
        side.addresses, [&](const auto& each) { return director.host->holds(each) && !other.host->holds(each); });
  }

  static bool holds(const Side& side, const Pair::Director& director) {
    return std::ranges::all_of(side.addresses, [&](const auto& each) { return director.host->holds(each); });
  }

  Side& other_of(const Side& side) { return &side == &one ? two : one; }

  /// Since when a director leads that side, as it says itself.
  std::string since(const Side& side, const Pair::Director& director) {
    const auto status = pair.status(director);
    for (const auto& router : status.is_object() ? status.value("vrrp", nlohmann::json::array()) : nlohmann::json()) {
      if (router.value("name", "") == side.router)
        return router.value("state", "") + " since " + router.value("since", "");
    }
    return "unknown";
  }

  void check_outage(const std::string& what, const Side& side, net::Instant begin, net::Duration bound) {
    const bool settled = side.prober->settle(300ms, 5s);
    const auto seen = side.prober->outage(begin, net::monotonic_now() - lab::Prober::limit);
    const auto lost = pulse.stood_still(begin, seen.over);
    WARN(fmt::format(
        "{}: {} of {}: outage {} ms (at most {}), {} of {} requests lost{}", to_string(pair.options.forward), what,
        side.router, ceil<milliseconds>(seen.longest).count(), ceil<milliseconds>(bound).count(), seen.failed,
        seen.failed + seen.answered,
        lost > 0ms ? fmt::format(", the lab was stalled for {} ms", ceil<milliseconds>(lost).count()) : ""));
    CHECK(settled);
    CHECK(seen.longest <= bound + lost);
  }

  /// A side's director goes, by `how`, and returns: the other side's stays all the time.
  template <class Go, class Return>
  void go_and_return(Side& side, const std::string& how, net::Duration bound, Go go, Return come_back) {
    INFO(how << ", " << side.own.host->name);
    Side& other = other_of(side);
    const auto undisturbed = since(other, other.own);
    REQUIRE(undisturbed.starts_with("master since "));
    const auto begin = net::monotonic_now();
    go();
    const auto taken = lab::wait_until([&] { return holds(side, side.other); }, bound + 3s);
    CHECK(taken);
    CHECK(taken.value_or(1h) <= bound + pulse.stood_still(begin, net::monotonic_now()));
    check_outage(how, side, begin, bound);
    check_outage(how, other, begin, margin);
    CHECK(holds(other, other.own));

    const auto birth = net::monotonic_now();
    come_back();
    const auto limit = Pair::preempt_delay + pair.master_down_interval(side.own) + start_up;
    const auto back = lab::wait_until([&] { return leads(side, side.own); }, limit + 3s);
    CHECK(back);
    CHECK(back.value_or(1h) <= limit + pulse.stood_still(birth, net::monotonic_now()));
    check_outage(how + ", return", side, birth, busy);
    check_outage(how + ", return", other, birth, busy);
    CHECK(since(other, other.own) == undisturbed);
    CHECK(leads(other, other.own));
  }

  void crash(Side& side) {
    // A connection that the other node was told of goes on there.
    const lab::Download download(*pair.client, side.service, 8s);
    const lab::Download undisturbed(*pair.client, other_of(side).service, 8s);
    lab::sleep_for(4s);
    go_and_return(
        side, "crash", pair.master_down_interval(side.other) + margin, [&] { pair.kill(side.own); },
        [&] { pair.start(side.own); });
    CHECK(lab::wait_until([&] { return download.ended() && undisturbed.ended(); }, 10s));
    CHECK(download.complete());
    CHECK(undisturbed.complete());
  }

  void fail_over(Side& side) {
    INFO("failover of " << side.router);
    Side& other = other_of(side);
    const auto undisturbed = since(other, other.own);
    for (auto [from, to] : {std::pair(&side.own, &side.other), std::pair(&side.other, &side.own)}) {
      const auto begin = net::monotonic_now();
      const auto answer = pair.ctl(*from, {"failover", side.router, "--to", to->host->name});
      INFO(answer.text);
      CHECK(answer.status == 0);
      CHECK(lab::wait_until([&] { return leads(side, *to); }, 3s));
      check_outage("failover", side, begin, busy);
      check_outage("failover", other, begin, busy);
    }
    CHECK(since(other, other.own) == undisturbed);
  }

  Pair pair;
  lab::Pulse pulse;
  Side one{.router = "one",
           .own = pair.lb1,
           .other = pair.lb2,
           .service = {.address = lab::address("192.168.56.10"), .port = 80},
           .addresses = {lab::address("192.168.56.10")}};
  Side two{.router = "two",
           .own = pair.lb2,
           .other = pair.lb1,
           .service = {.address = lab::address("192.168.56.20"), .port = 80},
           .addresses = {lab::address("192.168.56.20")}};
};

/// Both sync daemons run on each: each tells the other of the connections that it forwards.
void check_sync(const Pair::Director& director) {
  const auto listed = lab::run(*director.host, {"ipvsadm", "--list", "--daemon"}).text;
  CHECK_THAT(listed, Catch::ContainsSubstring("master sync daemon (mcast=enp0s8, syncid=1,"));
  CHECK_THAT(listed, Catch::ContainsSubstring("backup sync daemon (mcast=enp0s8, syncid=1,"));
}

void play(Pair::Forward forward) {
  ActivePair active(forward);
  auto& pair = active.pair;
  for (const auto& director : pair.directors) check_sync(director);
  for (auto* side : {&active.one, &active.two}) active.crash(*side);
  for (auto* side : {&active.one, &active.two}) active.fail_over(*side);
  // By the back network where the front is cut: with NAT the two move together, and it can say that it goes.
  const bool told = forward == Pair::Forward::nat;
  const auto link_lost = told ? net::Duration(margin) : pair.master_down_interval(pair.lb2) + margin;
  active.go_and_return(
      active.one, "front link lost", link_lost, [&] { pair.cut_off(pair.lb1); }, [&] { pair.reconnect(pair.lb1); });
  active.go_and_return(
      active.two, "stop", margin, [&] { pair.stop(pair.lb2); },
      [&] {
        CHECK(pair.lb2.process->wait(5s) == 0);
        pair.start(pair.lb2);
      });
}

}  // namespace

TEST_CASE("two directors that both work move only what is their own, with NAT", "[active-nat]") {
  play(Pair::Forward::nat);
}

TEST_CASE("two directors that both work move only what is their own, with DR", "[active-dr]") {
  play(Pair::Forward::dr);
}

TEST_CASE("an owner's address is permanent all the time, and a backup has it only while the owner is gone",
          "[active-dr]") {
  Pair pair{{.forward = Pair::Forward::dr, .advertise = advertise, .programs = lab::programs_folder()}};
  const auto owned = lab::prefix("192.168.56.10/24");
  pair.lb1.host->rtnetlink.add_address("enp0s3", owned);
  pair.write(fmt::format(
      "cluster: shop\nnodes:\n  lb1: {{ address: 192.168.56.11 }}\n  lb2: {{ address: 192.168.56.12 }}\nvrrp:\n"
      "  front: {{ router_id: 51, interface: enp0s3, addresses: [192.168.56.10/24], advertise: {}ms, priority: {{ lb1: "
      "255 }} }}\n"
      "services:\n  web: {{ listen: 192.168.56.10:80, forward: dr, servers: {{ web1: {{ address: 192.168.200.11 }} }} "
      "}}\n",
      advertise.count()));
  const auto is_permanent = [&] {
    const auto shown = lab::run(*pair.lb1.host, {"ip", "-o", "-4", "address", "show", "to", "192.168.56.10/32"}).text;
    INFO(shown);
    CHECK_THAT(shown, Catch::ContainsSubstring("192.168.56.10/24"));
    CHECK_THAT(shown, Catch::ContainsSubstring("valid_lft forever"));
  };
  const auto lb1_leads = [&] { return !pair.lb2.host->holds(owned.address); };
  for (auto& director : pair.directors) pair.start(director);
  const lab::Prober prober(*pair.client, pair.service);
  REQUIRE(prober.settle(500ms, 15s));
  CHECK(lb1_leads());
  is_permanent();

  const auto begin = net::monotonic_now();
  pair.cut_off(pair.lb1);
  CHECK(lab::wait_until([&] { return !lb1_leads(); }, 3s));
  CHECK(prober.settle(300ms, 5s));
  is_permanent();
  pair.reconnect(pair.lb1);
  CHECK(lab::wait_until(lb1_leads, 5s));
  CHECK(prober.settle(300ms, 5s));
  is_permanent();
  const auto seen = prober.outage(begin, net::monotonic_now() - lab::Prober::limit);
  WARN(fmt::format("the owner's link lost and back: outage {} ms", ceil<milliseconds>(seen.longest).count()));

  const auto refused = pair.ctl(pair.lb1, {"failover", "front"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.text, Catch::ContainsSubstring("owns the addresses"));
  pair.stop(pair.lb1);
  CHECK(pair.lb1.process->wait(5s) == 0);
  is_permanent();
}
