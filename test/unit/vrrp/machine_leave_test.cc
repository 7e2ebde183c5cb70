// A master that gives its role away: because it stops, or because the operator says so.
#include <algorithm>

#include "test/catch.h"
#include "test/unit/vrrp/machine.h"

using namespace machine;

TEST_CASE("master: one that stops says so, and serves until it hears its successor") {
  const Config known{.priority = 100, .peer_priorities = {90}};
  const auto resigned = step(known, master(), vrrp::Resign{}, t0 + 500ms);
  CHECK(resigned.next.state == RouterState::master);
  CHECK(resigned.actions.front() == Action::resign);
  CHECK(std::ranges::count(resigned.actions, Action::yield) == 0);
  const auto again = step(known, resigned.next, Expired{}, t0 + 750ms);
  CHECK(again.actions.front() == Action::resign);
  CHECK(step(known, again.next, heard(0), t0 + 760ms).actions.empty());
  const auto heard_it = step(known, again.next, heard(90), t0 + 760ms);
  CHECK(heard_it.next.state == RouterState::initialize);
  CHECK(heard_it.actions == Actions{Action::yield});
}

TEST_CASE("master: one that stops goes without a successor after a while") {
  const Config known{.priority = 100, .peer_priorities = {90}};
  Machine machine = step(known, master(), vrrp::Resign{}, t0).next;
  Instant now = t0;
  for (int timers = 0; timers < 10 && machine.state == RouterState::master; ++timers) {
    now = *machine.deadline;
    machine = step(known, machine, Expired{}, now).next;
  }
  CHECK(machine.state == RouterState::initialize);
  CHECK(now == t0 + 1250ms);
}

TEST_CASE("master: one that stops and stood still meanwhile has stopped") {
  const Config known{.priority = 100, .peer_priorities = {90}};
  const Machine leaving = step(known, master(), vrrp::Resign{}, t0).next;
  for (const bool by_timer : {true, false}) {
    const auto woken = by_timer ? step(known, leaving, Expired{}, t0 + 5s) : step(known, leaving, heard(90), t0 + 5s);
    CHECK(woken.next.state == RouterState::initialize);
    CHECK(woken.actions == Actions{Action::yield});
    CHECK_FALSE(woken.next.deadline);
  }
}

TEST_CASE("master: the operator's word gives the role away, and it is not taken back while its holder lives") {
  const Config known{.priority = 100, .peer_priorities = {90}};
  const Machine leaving = step(known, master(), vrrp::Resign{vrrp::Leaving::to_backup}, t0).next;
  const auto given = step(known, leaving, heard(90), t0 + 1ms);
  CHECK(given.next.state == RouterState::backup);
  CHECK(given.actions == Actions{Action::yield});
  CHECK(step(known, given.next, heard(90), t0 + 1s).next.deadline == t0 + 4s + skew);
  const Machine again = step(known, given.next, Expired{}, t0 + 4s).next;
  CHECK(again.state == RouterState::master);
  CHECK_FALSE(again.failed_over);
}

TEST_CASE("master: nobody takes the role that the operator gives away, and it goes on") {
  const Config known{.priority = 100, .peer_priorities = {90}};
  Machine machine = step(known, master(), vrrp::Resign{vrrp::Leaving::to_backup}, t0).next;
  Actions last;
  while (machine.leaving != vrrp::Leaving::no) {
    auto made = step(known, machine, Expired{}, *machine.deadline);
    machine = made.next;
    last = made.actions;
  }
  CHECK(machine.state == RouterState::master);
  CHECK(last.front() == Action::advertise);
  CHECK(machine.deadline == t0 + 2250ms);
}
