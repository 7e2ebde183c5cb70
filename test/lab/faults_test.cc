// What can happen to a pair of directors beyond the scenario, with requests flowing: after each there is one holder,
// the client's neighbour table says so, and the outage is as long as the protocol says.

#include <fmt/format.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/pair.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

constexpr auto margin = 50ms;  // as the scenario's: the kernel's, and the prober's own error

class Faults {
 public:
  Faults() : Faults({150, 100}) {}

  explicit Faults(std::array<int, 2> priorities)
      : pair{{.forward = Pair::Forward::nat,
              .advertise = 100ms,
              .programs = lab::programs_folder(),
              .priorities = priorities}} {
    for (auto& director : pair.directors) pair.start(director);
    const bool equal = priorities[0] == priorities[1];
    REQUIRE(lab::wait_until([&] { return equal ? leader() != nullptr : leader() == &pair.lb1; }, 15s));
    prober.emplace(*pair.client, pair.service);
    REQUIRE(prober->settle(500ms, 10s));
  }

  /// One director alone holds both addresses, within `limit`.
  bool settle(const Pair::Director& master, net::Duration limit = 15s) {
    const auto& other = &master == &pair.lb1 ? pair.lb2 : pair.lb1;
    return lab::wait_until([&] { return pair.holds_both(master) && !pair.holds_any(other); }, limit).has_value();
  }

  /// Who holds both addresses alone; nobody where none does, or both.
  [[nodiscard]] const Pair::Director* leader() const {
    for (const auto& [one, other] : {std::pair(&pair.lb1, &pair.lb2), std::pair(&pair.lb2, &pair.lb1)}) {
      if (pair.holds_both(*one) && !pair.holds_any(*other)) return one;
    }
    return nullptr;
  }

  [[nodiscard]] static std::string mac_of(const Pair::Director& director) {
    const auto text = lab::run(*director.host, {"ip", "-o", "link", "show", "dev", "enp0s3"}).text;
    return text.substr(text.find("link/ether ") + 11, 17);
  }

  void expect(const Pair::Director& master, net::Instant begin, net::Duration outage, const std::string& fault) {
    INFO(fault);
    CHECK(settle(master));
    CHECK(prober->settle(300ms, 5s));
    const auto neighbour = lab::run(*pair.client, {"ip", "neighbour", "show", "192.168.56.10"}).text;
    CHECK(neighbour.find(mac_of(master)) != std::string::npos);
    const auto seen = prober->outage(begin, net::monotonic_now() - lab::Prober::limit);
    const auto lost = pulse.stood_still(begin, seen.over);
    const auto ms = [](net::Duration time) { return std::chrono::duration<double, std::milli>(time).count(); };
    WARN(fmt::format("{}: outage {:.1f} ms, {} requests lost (expected {:.0f} ms at most{})", fault, ms(seen.longest),
                     seen.failed, ms(outage),
                     lost > 0ms ? fmt::format(", the lab was stalled for {:.0f} ms", ms(lost)) : ""));
    CHECK(seen.longest <= outage + lost);
  }

  Pair pair;
  lab::Pulse pulse;
  std::optional<lab::Prober> prober;
  const net::Duration patience = pair.master_down_interval(pair.lb2) + margin;
};

struct Equals : Faults {
  Equals() : Faults({100, 100}) {}
};

}  // namespace

TEST_CASE_METHOD(Faults, "a director that is stopped in a debugger loses the role, and takes it back in order",
                 "[faults]") {
  auto begin = net::monotonic_now();
  pair.lb1.process->signal(SIGSTOP);
  expect(pair.lb2, begin, margin, "SIGSTOP");  // its lease serves until lb2 is there
  begin = net::monotonic_now();
  pair.lb1.process->signal(SIGCONT);
  expect(pair.lb1, begin, margin, "SIGCONT");
}

TEST_CASE_METHOD(Faults, "a director that is killed and started again at once goes on, or is replaced in order",
                 "[faults]") {
  const auto begin = net::monotonic_now();
  pair.kill(pair.lb1);
  pair.start(pair.lb1);
  // What the killed one held it seems to hold still: its new life says when it leads.
  REQUIRE(lab::wait_until([&] { return pair.ctl(pair.lb1, {"vrrp"}).text.contains("front: master"); }, 15s));
  expect(pair.lb1, begin, margin, "SIGKILL and a start at once");
}

TEST_CASE_METHOD(Faults, "a handover by the operator, and back", "[faults]") {
  auto begin = net::monotonic_now();
  CHECK(pair.ctl(pair.lb1, {"failover", "front", "--to", "lb2"}).status == 0);
  expect(pair.lb2, begin, margin, "failover to lb2");
  begin = net::monotonic_now();
  CHECK(pair.ctl(pair.lb2, {"failover", "back"}).status == 0);
  expect(pair.lb1, begin, margin, "failover back");
  CHECK(pair.ctl(pair.lb2, {"failover", "front"}).status == 1);
  const auto shown = pair.ctl(pair.lb1, {"vrrp"}).text;
  CAPTURE(shown);
  CHECK(shown.find("front: master since ") != std::string::npos);
  CHECK(shown.find("holds 192.168.56.10/24 of 192.168.56.10/24; lease left") != std::string::npos);
}

TEST_CASE_METHOD(Faults, "a link that carries in one direction only moves nothing while another link speaks",
                 "[faults]") {
  const auto begin = net::monotonic_now();
  REQUIRE(
      lab::run(*pair.lb2.host, {"iptables-legacy", "-A", "INPUT", "-i", "enp0s3", "-p", "112", "-j", "DROP"}).status ==
      0);
  lab::sleep_for(2s);
  expect(pair.lb1, begin, margin, "front heard in one direction only");
}

TEST_CASE_METHOD(Faults, "a backup that hears nothing leads beside the master until it hears again", "[faults]") {
  const auto deafen = [&](const Pair::Director& director, const char* what) {
    REQUIRE(lab::run(*director.host, {"iptables-legacy", what, "INPUT", "-p", "112", "-j", "DROP"}).status == 0);
  };
  auto begin = net::monotonic_now();
  deafen(pair.lb1, "-A");  // a master need not hear
  lab::sleep_for(1s);
  expect(pair.lb1, begin, margin, "the master hears nothing");
  deafen(pair.lb1, "-D");
  deafen(pair.lb2, "-A");
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1) && pair.holds_both(pair.lb2); }, 3s));
  begin = net::monotonic_now();
  deafen(pair.lb2, "-D");
  expect(pair.lb1, begin, margin, "the backup hears again");
}

TEST_CASE_METHOD(Faults, "two that could not hear each other agree at once when they can", "[faults]") {
  for (const char* interface : {"enp0s3", "enp0s8"}) {
    for (auto& director : pair.directors) {
      REQUIRE(lab::run(*director.host, {"iptables-legacy", "-A", "INPUT", "-i", interface, "-p", "112", "-j", "DROP"})
                  .status == 0);
    }
  }
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1) && pair.holds_both(pair.lb2); }, 3s));
  lab::sleep_for(4s);  // longer than a new master's announcements: the client believes lb2
  const auto begin = net::monotonic_now();
  for (auto& director : pair.directors) {
    REQUIRE(lab::run(*director.host, {"iptables-legacy", "-F", "INPUT"}).status == 0);
  }
  expect(pair.lb1, begin, margin, "a split heals");
}

TEST_CASE_METHOD(Faults, "an address deleted by hand is back at once", "[faults]") {
  const auto begin = net::monotonic_now();
  REQUIRE(lab::run(*pair.lb1.host, {"ip", "address", "del", "192.168.56.10/24", "dev", "enp0s3"}).status == 0);
  expect(pair.lb1, begin, margin, "the address deleted by hand");
}

TEST_CASE_METHOD(Faults, "an interface that is deleted moves the role, and its return moves it back",
                 "[faults][interface]") {
  auto begin = net::monotonic_now();
  REQUIRE(lab::run(*pair.lb1.host, {"ip", "link", "delete", "enp0s3"}).status == 0);
  expect(pair.lb2, begin, margin, "the interface deleted");
  begin = net::monotonic_now();
  pair.topology.connect(*pair.lb1.host, "front", "enp0s3", {"192.168.56.11/24"});
  expect(pair.lb1, begin, margin, "the interface made anew");
}

TEST_CASE_METHOD(Equals, "two of one priority, started at once, agree on one, and stay agreed", "[faults]") {
  auto& first = leader() == &pair.lb1 ? pair.lb1 : pair.lb2;
  auto& second = &first == &pair.lb1 ? pair.lb2 : pair.lb1;
  const auto says = [&](const Pair::Director& director, const char* role) {
    return pair.ctl(director, {"vrrp"}).text.contains(std::string("front: ") + role);
  };
  auto begin = net::monotonic_now();
  pair.kill(first);
  REQUIRE(lab::wait_until([&] { return leader() == &second; }, 5s));
  expect(second, begin, margin, "one of two equals killed");
  begin = net::monotonic_now();
  pair.start(first);
  REQUIRE(lab::wait_until([&] { return says(first, "backup"); }, 15s));
  lab::sleep_for(pair.master_down_interval(first) + Pair::preempt_delay);
  expect(second, begin, margin, "its return, which moves nothing");

  begin = net::monotonic_now();
  for (auto& director : pair.directors) pair.kill(director);
  for (auto& director : pair.directors) pair.start(director);
  const auto one_leads = [&] {
    return says(first, "master") ? says(second, "backup") : says(second, "master") && says(first, "backup");
  };
  REQUIRE(lab::wait_until(one_leads, 15s));
  // The lease serves while they start; where that is slow, a backup's patience may outlast it.
  expect(says(first, "master") ? first : second, begin, patience, "both killed and started at once");
}

TEST_CASE_METHOD(Equals, "two of one priority that both lead: the greater address stays", "[faults]") {
  const auto let_through = [&](bool through) {
    // lb2 hears first: who stays must hear the last advert of who gives way.
    for (const auto* director : {&pair.lb2, &pair.lb1}) {
      REQUIRE(lab::run(*director->host, {"iptables-legacy", through ? "-D" : "-A", "INPUT", "-p", "112", "-j", "DROP"})
                  .status == 0);
    }
  };
  let_through(false);
  REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1) && pair.holds_both(pair.lb2); }, 3s));
  lab::sleep_for(4s);  // as above
  const auto begin = net::monotonic_now();
  let_through(true);
  expect(pair.lb2, begin, margin, "a split of equals heals");
}
