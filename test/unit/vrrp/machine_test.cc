#include "test/unit/vrrp/machine.h"
#include "test/catch.h"

using namespace machine;

namespace {

Config with_priority(std::uint8_t priority) { return {.priority = priority}; }
Config without_preempt() { return {.priority = 100, .preempt_mode = false}; }

}  // namespace

TEST_CASE("the timers are the RFC's") {
  CHECK(skew_time(config, 1s) == skew);
  CHECK(skew_time(with_priority(254), 1s) == 7'812'500ns);
  CHECK(skew_time(with_priority(1), 10ms) == 9'960'937ns);
  CHECK(master_down_interval(config, 1s) == 3s + skew);
  CHECK(master_down_interval(config, 10ms) == 36'093'750ns);
}

TEST_CASE("the lease outlives every backup's patience, in whole seconds") {
  for (const auto& [interval, expected] : std::vector<std::pair<std::chrono::milliseconds, std::chrono::seconds>>{
           {10ms, 1s}, {250ms, 1s}, {260ms, 2s}, {1s, 4s}, {1010ms, 5s}, {40950ms, 164s}}) {
    CAPTURE(interval.count());
    const Config master{.advertisement_interval = interval};
    CHECK(lease(master) == expected);
    CHECK(lease(master) > master_down_interval(with_priority(1), interval));
  }
}

TEST_CASE("initialize: startup leads to backup, the owner's to master") {
  const auto [next, actions, late] = step(config, {}, Startup{}, t0);
  CHECK(next.state == RouterState::backup);
  CHECK(next.deadline == t0 + 3s + skew);
  CHECK(actions.empty());

  const auto owner = step(with_priority(255), {}, Startup{}, t0);
  CHECK(owner.next.state == RouterState::master);
  CHECK(owner.next.deadline == t0 + 1s);
  CHECK(owner.actions == Actions{Action::claim, Action::advertise, Action::announce});
}

TEST_CASE("initialize: adverts and timers mean nothing, shutdown cleans up") {
  CHECK(step(config, {}, heard(200), t0).next == Machine{});
  CHECK(step(config, {}, Expired{}, t0).next == Machine{});
  CHECK(step(config, {}, Shutdown{}, t0).actions.empty());
  const auto [next, actions, late] = step(config, {.has_addresses = true}, Shutdown{}, t0);
  CHECK(actions == Actions{Action::yield});
  CHECK_FALSE(next.has_addresses);
}

TEST_CASE("backup: the Master_Down_Timer makes it master") {
  const auto [next, actions, late] = step(config, backup(), Expired{}, t0 + 4s);
  CHECK(next.state == RouterState::master);
  CHECK(next.deadline == t0 + 5s);
  CHECK(next.has_addresses);
  CHECK(next.lease_end == t0 + 8s);
  CHECK(actions == Actions{Action::claim, Action::advertise, Action::announce});
}

TEST_CASE("backup: an advert of the same or a higher priority rearms the timer with the master's interval") {
  for (const int priority : {100, 101, 255}) {
    const auto [next, actions, late] = step(config, backup(), heard(priority, 2s), t0 + 1s);
    CHECK(next.state == RouterState::backup);
    CHECK(next.master_adver_interval == 2s);
    CHECK(next.deadline == t0 + 1s + 6s + 2 * skew);
    CHECK(next.master_priority == priority);
    CHECK(actions.empty());
  }
}

TEST_CASE("backup: a lower priority's advert is discarded when preempting and followed when not") {
  CHECK(step(config, backup(), heard(99), t0 + 1s).next.deadline == backup().deadline);
  CHECK(step(without_preempt(), backup(), heard(99), t0 + 1s).next.deadline == t0 + 4s + skew);
}

TEST_CASE("backup: priority 0 leaves only the skew, and a second one does not prolong it") {
  const Machine told = step(config, backup(), heard(0), t0 + 1s).next;
  CHECK(told.state == RouterState::backup);
  CHECK(told.deadline == t0 + 1s + skew);
  CHECK(step(config, told, heard(0), t0 + 1s + skew / 2).next.deadline == told.deadline);
}

TEST_CASE("backup: the skew after priority 0 is counted in the master's intervals") {
  const Machine slow = step(config, backup(), heard(200, 2s), t0).next;
  CHECK(step(config, slow, heard(0, 2s), t0 + 1s).next.deadline == t0 + 1s + 2 * skew);
}

TEST_CASE("backup: addresses of an earlier life stay until a master is heard") {
  Machine machine = step(config, {.has_addresses = true}, Startup{}, t0).next;
  CHECK(machine.has_addresses);
  CHECK(step(config, machine, heard(0), t0).actions.empty());
  for (const int priority : {1, 100, 200}) {  // also one that will be preempted holds the addresses now
    const auto [next, actions, late] = step(config, machine, heard(priority), t0);
    CHECK(actions.back() == Action::yield);
    CHECK_FALSE(next.has_addresses);
    CHECK(step(config, next, heard(priority), t0).actions.empty());
  }
  CHECK(step(config, machine, Shutdown{}, t0).actions == Actions{Action::yield});
}

TEST_CASE("backup: shutdown leads to initialize, silently") {
  const auto [next, actions, late] = step(config, backup(), Shutdown{}, t0);
  CHECK(next.state == RouterState::initialize);
  CHECK_FALSE(next.deadline);
  CHECK(actions.empty());
}

TEST_CASE("master: advertises at each Adver_Timer") {
  const auto [next, actions, late] = step(config, master(), Expired{}, t0 + 1s);
  CHECK(next.state == RouterState::master);
  CHECK(next.deadline == t0 + 2s);
  CHECK(actions.front() == Action::advertise);
}

TEST_CASE("master: a late timer does not shift the adverts, a later one begins them anew") {
  CHECK(step(config, master(), Expired{}, t0 + 1300ms).next.deadline == t0 + 2s);
  CHECK(step(config, master(), Expired{}, t0 + 2s).next.deadline == t0 + 3s);
  CHECK(step(config, master(), Expired{}, t0 + 2500ms).next.deadline == t0 + 3500ms);
  CHECK(step(config, master(), Expired{}, t0 + 3s - 1ns).next.state == RouterState::master);
}

TEST_CASE("master: one that was silent for as long as a backup waits listens for an interval") {
  for (const bool by_timer : {true, false}) {  // its timer, or a lesser router's advert
    const auto woken =
        by_timer ? step(config, master(), Expired{}, t0 + 3s) : step(config, master(), heard(99), t0 + 3s);
    CHECK(woken.late);
    CHECK(woken.next.state == RouterState::backup);
    CHECK(woken.next.deadline == t0 + 4s);
    CHECK(woken.next.has_addresses != (std::ranges::count(woken.actions, Action::yield) > 0));
    CHECK(std::ranges::count(woken.actions, Action::advertise) == 0);
  }
  const Machine listening = step(config, master(), Expired{}, t0 + 3s).next;
  CHECK(step(config, listening, Expired{}, t0 + 4s).next.state == RouterState::master);
  const auto other = step(config, listening, heard(101), t0 + 3500ms);
  CHECK(other.next.state == RouterState::backup);
  CHECK(other.actions.back() == Action::yield);
}

TEST_CASE("backup: a timer that is late by more than an interval is not believed at once") {
  const Machine waiting = backup();
  CHECK(step(config, waiting, Expired{}, *waiting.deadline + 1s).next.state == RouterState::master);
  const auto woken = step(config, waiting, Expired{}, *waiting.deadline + 1s + 1ns);
  CHECK(woken.late);
  CHECK(woken.actions.empty());
  CHECK(woken.next.state == RouterState::backup);
  CHECK(woken.next.deadline == *waiting.deadline + 2s + 1ns + skew);
  CHECK(step(config, woken.next, Expired{}, *woken.next.deadline).next.state == RouterState::master);
}

TEST_CASE("master: the lease is renewed before it is short, not at each of many adverts") {
  for (const auto& [interval, adverts_per_claim] : std::vector<std::pair<std::chrono::milliseconds, int>>{
           {10ms, 10}, {100ms, 1}, {240ms, 1}, {250ms, 1}, {1s, 1}}) {
    const Config fast{.priority = 100, .advertisement_interval = interval};
    Machine machine = step(fast, step(fast, {}, Startup{}, t0).next, Expired{}, t0).next;
    Instant now = t0;
    int claims = 0;
    for (int i = 0; i < 100; ++i) {
      now += interval + 100us * (i % 3);  // timers are late by a little
      auto [next, actions, late] = step(fast, machine, Expired{}, now);
      claims += std::ranges::count(actions, Action::claim) > 0 ? 1 : 0;
      CHECK(std::ranges::count(actions, Action::announce) == 0);
      machine = next;
      CHECK(machine.lease_end > now + master_down_interval(with_priority(1), interval));  // should it die now
    }
    CAPTURE(interval.count());
    CHECK(std::abs(claims - 100 / adverts_per_claim) <= 1);
  }
}

TEST_CASE("master: yields to a higher priority, and to the greater address among equals") {
  const auto yields = [](const Heard& advert) {
    const auto [next, actions, late] = step(config, master(), advert, t0);
    if (next.state == RouterState::backup) {
      CHECK(actions == Actions{Action::advertise, Action::yield});  // so that the other knows that there were two
      CHECK(next.master_adver_interval == advert.max_advertise_interval);
      CHECK(next.deadline == t0 + master_down_interval(config, advert.max_advertise_interval));
      CHECK_FALSE(next.has_addresses);
    }
    return next.state == RouterState::backup;
  };
  CHECK(yields({.priority = 101, .max_advertise_interval = 3s, .greater_address = false}));
  CHECK(yields({.priority = 100, .max_advertise_interval = 1s, .greater_address = true}));
  CHECK_FALSE(yields({.priority = 100, .max_advertise_interval = 1s, .greater_address = false}));
  CHECK_FALSE(yields({.priority = 99, .max_advertise_interval = 1s, .greater_address = true}));
  CHECK_FALSE(yields({.priority = 0, .max_advertise_interval = 1s, .greater_address = true}));
}

TEST_CASE("master: preempt mode is no matter between masters") {
  CHECK(step(without_preempt(), master(), heard(101), t0).next.state == RouterState::backup);
  CHECK(step(without_preempt(), master(), heard(99), t0).next.state == RouterState::master);
}

TEST_CASE("master: asserts itself against a lesser one at once, but once each Adver_Timer") {
  const auto first = step(config, master(), heard(99), t0 + 100ms);
  CHECK(first.actions == Actions{Action::advertise, Action::claim, Action::announce});
  CHECK(first.next.deadline == master().deadline);
  const auto second = step(config, first.next, heard(99), t0 + 200ms);
  CHECK(second.actions.empty());
  const auto timer = step(config, second.next, Expired{}, t0 + 1s);
  CHECK(timer.actions.back() == Action::announce);  // the second may have announced after the answer
  CHECK_FALSE(step(config, timer.next, heard(99), t0 + 1100ms).actions.empty());
}

TEST_CASE("master: answers priority 0 with an advert and a fresh Adver_Timer, but a flood of them only once") {
  const auto first = step(config, master(), heard(0), t0 + 100ms);
  CHECK(first.actions == Actions{Action::advertise});
  CHECK(first.next.deadline == t0 + 1100ms);
  const auto second = step(config, first.next, heard(0), t0 + 200ms);
  CHECK(second.actions.empty());
  CHECK(second.next.deadline == t0 + 1100ms);
}

TEST_CASE("master: shutdown resigns and yields") {
  const auto [next, actions, late] = step(config, step(config, master(), Expired{}, t0 + 1s).next, Shutdown{}, t0 + 1s);
  CHECK(next.state == RouterState::initialize);
  CHECK_FALSE(next.deadline);
  CHECK_FALSE(next.has_addresses);
  CHECK(actions == Actions{Action::resign, Action::yield});
}

TEST_CASE("master: one whose first claim is refused has told nobody, and has nothing to take back") {
  CHECK(step(config, master(), Shutdown{}, t0).actions == Actions{Action::yield});
}

TEST_CASE("initialize: a new life goes on as master while no backup can have lost patience") {
  const auto resumed = step(config, {}, Startup{.claimed = t0 - 3s + 1ns}, t0);
  CHECK(resumed.next.state == RouterState::master);
  CHECK(resumed.actions == Actions{Action::claim, Action::advertise, Action::announce});
}

TEST_CASE("initialize: a new life that comes later listens for an interval and its skew, as one that stood still") {
  const auto listening = step(config, {}, Startup{.claimed = t0 - 3s}, t0);
  CHECK(listening.next.state == RouterState::backup);
  CHECK(listening.actions.empty());
  CHECK(listening.next.deadline == t0 + 1s + skew_time(config, 1s));
  CHECK_FALSE(listening.late);
  CHECK(step(config, listening.next, Expired{}, *listening.next.deadline).next.state == RouterState::master);
}

TEST_CASE("backup: what it holds from before is given up to a greater one, and that is told that there were two") {
  Machine holds = backup();
  holds.has_addresses = true;
  CHECK(step(config, holds, heard(101), t0).actions == Actions{Action::advertise, Action::yield});
  CHECK(step(config, holds, heard(100), t0).actions == Actions{Action::yield});
  CHECK(step(config, holds, heard(99), t0).actions == Actions{Action::yield});
  CHECK(step(config, backup(), heard(101), t0).actions.empty());
}

TEST_CASE("a router that is inhibited becomes master when that ends, if its timer has run out by then") {
  const Machine inhibited = step(config, {.inhibited = true}, Startup{}, t0).next;
  CHECK(inhibited.deadline == backup().deadline);
  const auto waits = step(config, inhibited, Expired{}, *inhibited.deadline);
  CHECK(waits.next.state == RouterState::backup);
  CHECK_FALSE(waits.next.deadline);
  CHECK(waits.actions.empty());
  CHECK(step(config, waits.next, heard(0), t0 + 5s).next == waits.next);
  CHECK(step(config, waits.next, vrrp::Inhibit{.inhibited = false}, t0 + 5s).next.state == RouterState::master);
  CHECK(step(config, inhibited, vrrp::Inhibit{.inhibited = false}, t0 + 1s).next.state == RouterState::backup);
  const Machine follows = step(config, waits.next, heard(200), t0 + 5s).next;
  CHECK(step(config, follows, vrrp::Inhibit{.inhibited = false}, t0 + 6s).next.state == RouterState::backup);
  CHECK(step(config, master(), vrrp::Inhibit{.inhibited = true}, t0).next.state == RouterState::master);
}

TEST_CASE("preempt delay: for so long after its start it follows a lesser master") {
  const Config patient{.priority = 100, .preempt_delay = 10s};
  const Machine waiting = step(patient, {}, Startup{}, t0).next;
  const Machine follows = step(patient, waiting, heard(50), t0 + 9s).next;
  CHECK(follows.deadline == t0 + 9s + 3s + skew);
  CHECK(step(patient, follows, heard(50), t0 + 10s).next.deadline == follows.deadline);
}

TEST_CASE("who is next is known where the cluster file leaves no doubt") {
  const auto next = [](std::vector<std::uint8_t> peers, std::uint8_t master_priority) {
    return vrrp::is_next({.priority = 100, .peer_priorities = std::move(peers)}, master_priority);
  };
  CHECK(next({150}, 150));
  CHECK(next({150}, 120));  // it speaks with a lowered priority, and there is nobody else
  CHECK(next({50}, 50));
  CHECK(next({150, 50}, 150));
  CHECK_FALSE(next({150, 120}, 150));
  CHECK_FALSE(next({150, 50}, 50));
  CHECK_FALSE(next({150, 100}, 150));
  CHECK_FALSE(next({150, 50}, 140));
  CHECK_FALSE(next({150}, 0));
  CHECK_FALSE(next({}, 150));
}

TEST_CASE("backup: who is next takes over at once when its master leaves, and after the skew when another does") {
  const Config second{.priority = 100, .peer_priorities = {150, 50}};
  const Machine follows = step(second, step(second, {}, Startup{}, t0).next, heard(150), t0).next;
  const Heard farewell{.priority = 0, .max_advertise_interval = 1s, .from_master = true};
  CHECK(step(second, follows, farewell, t0 + 1s).next.state == RouterState::master);
  CHECK(step(second, follows, heard(0), t0 + 1s).next.deadline == t0 + 1s + skew);
  const Config third{.priority = 100, .peer_priorities = {150, 120}};
  CHECK(step(third, follows, farewell, t0 + 1s).next.deadline == t0 + 1s + skew);
  Machine inhibited = follows;
  inhibited.inhibited = true;
  CHECK(step(second, inhibited, farewell, t0 + 1s).next.state == RouterState::backup);
}

TEST_CASE("master: other parameters are told and claimed at once") {
  const auto told = step(config, master(), vrrp::Reconfigured{}, t0 + 100ms);
  CHECK(told.actions == Actions{Action::advertise, Action::claim, Action::announce});
  CHECK(told.next.deadline == t0 + 1100ms);
  CHECK(step(config, backup(), vrrp::Reconfigured{}, t0 + 100ms).next == backup());
}

TEST_CASE("a duplicate startup changes nothing") {
  CHECK(step(config, backup(), Startup{}, t0 + 1s).next == backup());
  CHECK(step(config, master(), Startup{}, t0 + 1s).next == master());
}

TEST_CASE("version 2 counts its skew in seconds") {
  const Config old{.priority = 100, .advertisement_interval = 5s, .version = 2};
  CHECK(skew_time(old, 5s) == skew);
  CHECK(master_down_interval(old, 5s) == 15s + skew);
}
