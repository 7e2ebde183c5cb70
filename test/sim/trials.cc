// Single faults in a calm network.

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/story.h"

namespace sim {

using namespace std::chrono_literals;

void Story::trial() {
  if (able().size() < 2 || chance(30)) return try_return();
  switch (below(10)) {
    case 0:
      return try_clean_stop();
    case 1:
      return try_crash();
    case 2:
      return try_link_down();
    case 3:
      return try_hand_over();
    case 4:
      return try_restart();
    case 5:
      return try_standstill();
    case 6:
      return try_refusal();
    case 7:
      return try_split();
    case 8:
      return try_last_resort();
    default:
      return try_fault();
  }
}

/// Somebody holds the addresses at every moment until another is master.
void Story::expect_held_until_taken_over(std::size_t master, Duration bound, const std::string& after) {
  const auto taken_over = [&] {
    return std::ranges::any_of(world_.masters(), [&](std::size_t other) { return other != master; });
  };
  for (const Instant end = world_.now() + bound; world_.now() < end && !taken_over();) {
    expect(world_.holds(master, 0), "the addresses were gone before another had them, after " + after);
    world_.run(bound / 200);
  }
}

/// Priority 0: the highest takes over within its skew, and all is quiet when the lowest's has passed. Who knows its
/// peers waits for its successor, and who is known to be next does not wait.
void Story::try_clean_stop() {
  const std::size_t master = world_.masters().front();
  world_.stop(master);
  if (acquainted_) expect_held_until_taken_over(master, longest_skew(able()), "a clean stop");
  expect_handover(longest_skew(able()), "the master stopped");
  expect(world_.routers()[master].life == Life::dead, "a master did not end after its successor was there");
}

/// The operator's word: as a clean stop, but the old master is still there, and does not take the role back.
void Story::try_hand_over() {
  const std::size_t master = world_.masters().front();
  if (!acquainted_ || config(master).priority == vrrp::owner_priority) return;
  const auto others = able();
  std::uint8_t file_highest = 0;
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (i != master) file_highest = std::max(file_highest, config(i).priority);
  }
  int next = 0, highest = 0;
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (i == master || config(i).priority != file_highest) continue;
    ++highest;
    next += std::ranges::find(others, i) != others.end() ? 1 : 0;
  }
  const bool known = highest == 1 && next == 1;  // who is next lives, and knows that it is
  world_.hand_over(master);
  const Duration bound = known ? 3 * calm_delay_ + 2 * tick : longest_skew(others) + 3 * calm_delay_ + 2 * tick;
  if (known || longest_skew(others) < config(master).advertisement_interval) {
    expect_held_until_taken_over(master, bound, "a handover");
    world_.run(2 * tick + 3 * calm_delay_);
    const auto masters = world_.masters();
    expect(masters.size() == 1 && masters.front() != master, "the role was not handed over in time");
  }
  const bool given = !world_.is_master(master);
  settle(patience(able()) + longest_interval(), "the role was handed over");
  expect(!given || !one_pace(others, master) || !world_.is_master(master),
         "what the operator gave away was taken back");
}

/// A new life that comes before any backup can have lost patience: nobody else notices.
void Story::try_restart() {
  const std::size_t master = world_.masters().front();
  const Duration interval = config(master).advertisement_interval;
  world_.run(interval / 10 * static_cast<int>(below(10)));
  world_.crash(master);
  const int transitions = world_.transitions();
  const Duration pause = interval / 10 * static_cast<int>(below(17));
  world_.run(pause);
  world_.start(master, chance(50));
  // A lease is claimed up to a tenth of a second, and less than two intervals, before the last advert.
  const bool in_time = pause + std::max<Duration>(interval, 100ms) + 3 * tick < 3 * interval;
  if (in_time) {
    expect(world_.is_master(master), "a new life that came in time did not go on as master");
    world_.run(5 * interval);
    expect(world_.transitions() == transitions + 1, "a restart in time was noticed by others");
  }
  world_.set_inhibited(master, false);
  settle(patience(able()) + longest_interval(), "a restart");
}

/// The whole machine stands still, for longer or shorter than a backup waits.
void Story::try_standstill() {
  const std::size_t who = able()[below(able().size())];
  world_.halt(who, chance(50) ? Life::frozen : Life::stopped);
  world_.run(longest_interval() / 2 * static_cast<int>(1 + below(20)));
  world_.resume(who);
  settle(patience(able()) + longest_interval(), "one stood still");
}

/// A master whose kernel takes its addresses no more gives the role up with its next claim.
void Story::try_refusal() {
  const std::size_t master = world_.masters().front();
  world_.refuse(master, true);
  world_.run(2 * std::max<Duration>(100ms, config(master).advertisement_interval) + longest_skew(able()) +
             3 * calm_delay_ + 2 * tick);
  expect(!world_.masters().empty() && !world_.is_master(master), "nobody took over from one whose claim was refused");
  world_.run(longest_interval() * static_cast<int>(below(50)));
  // Where the paces differ, a late advert may have led another backup to lose patience, as in settle().
  expect(!equal_intervals_ || world_.masters().size() == 1, "one whose claims are refused disturbed the master");
  world_.refuse(master, false);
  const auto retry = world_.routers()[master].group.retry_at;
  settle(patience(able()) + (retry ? *retry - world_.now() : Duration{}), "the kernel took addresses again");
}

/// The master is alone for so long that another leads too; then they hear each other again.
void Story::try_split() {
  const std::size_t master = world_.masters().front();
  const auto cut_off = [&](bool is_cut) {
    world_.say({}, fmt::format("r{} is {}", master, is_cut ? "alone" : "heard again"));
    for (std::size_t link = 0; link < setup_.links; ++link) {
      for (std::size_t other = 0; other < setup_.routers.size(); ++other) {
        if (other == master) continue;
        world_.cut(link, master, other, is_cut);
        world_.cut(link, other, master, is_cut);
      }
    }
  };
  cut_off(true);
  world_.run(patience(able()) * 2 + longest_interval() / 10 * static_cast<int>(below(20)));
  expect(world_.masters().size() >= 2, "nobody took over from a master that nobody hears");
  cut_off(false);
  settle(patience(able()) + longest_interval(), "a split healed");
}

/// One that gives up leads only where nobody else does, and then it does.
void Story::try_last_resort() {
  const std::size_t master = world_.masters().front();
  if (!acquainted_ || config(master).priority == vrrp::owner_priority) return;
  vrrp::Config demoted = config(master);
  demoted.priority = 1;
  demoted.demoted = true;
  world_.hand_over(master);
  world_.reconfigure(master, demoted);
  const auto others = able();
  const Duration grace = longest_interval() * 5 / 4;  // for its successor; then it stays, until somebody preempts it
  world_.run(grace + patience(others));
  const auto preempts = [&](std::size_t i) { return i != master && config(i).preempt_mode && config(i).priority > 1; };
  if (std::ranges::any_of(others, preempts) && equal_intervals_) {
    expect(!world_.is_master(master), "one that gave up leads although another would");
  }
  for (const std::size_t i : others) {
    if (i != master) world_.crash(i);
  }
  world_.run(4 * longest_interval() + 3 * calm_delay_ + 2 * tick);
  expect(world_.is_master(master), "nobody led, although one was left that could");
  world_.reconfigure(master, config(master));
  world_.set_inhibited(master, false);
  for (const std::size_t i : others) {
    if (i != master) world_.start(i);
  }
  settle(patience(able()) + longest_interval(), "one that had been demoted was no longer demoted");
}

/// Who is of no use gives the role up at once.
void Story::try_fault() {
  const std::size_t master = world_.masters().front();
  world_.fault(master, true);
  expect_handover(longest_skew(able()), "the master was faulted");
  world_.fault(master, false);
  settle(patience(able()), "the fault was gone");
}

/// The addresses of the dead outlive it just long enough: somebody holds them at every moment.
void Story::try_crash() {
  const std::size_t master = world_.masters().front();
  world_.crash(master);
  std::uint8_t next_priority = 0;
  for (const std::size_t i : able()) next_priority = std::max(next_priority, config(i).priority);
  const Duration margin = config(master).advertisement_interval * next_priority / 256;
  const Duration bound = patience(able());
  if (calm_delay_ + 2 * tick < margin) {
    for (const Instant end = world_.now() + bound; world_.now() < end && world_.masters().empty();) {
      expect(world_.holds(master, 0), "the addresses of a crashed master were gone before another was there");
      world_.run(bound / 200);
    }
  }
  expect_handover(patience(able()), "the master crashed");
}

/// One link of the master loses its carrier: by the others, if there are any, the rest learns of it at once.
void Story::try_link_down() {
  const std::size_t master = world_.masters().front();
  const std::size_t link = below(setup_.links);
  world_.set_link(master, link, false);
  const bool told = setup_.links > 1;
  expect_handover(told ? longest_skew(able()) : patience(able()), "the master lost a link");
  world_.set_link(master, link, true);
  settle(patience(able()), "the link came back");
}

/// One that was away comes back, and takes over only if it is greater and preempts.
void Story::try_return() {
  std::vector<std::size_t> away;
  for (std::size_t i = 0; i < setup_.routers.size(); ++i) {
    if (world_.routers()[i].life == Life::dead) away.push_back(i);
  }
  if (away.empty()) return;
  const std::size_t back = away[below(away.size())];
  const auto before = world_.masters();
  world_.start(back);
  settle(patience(able()), "one came back");
  const bool hears_in_time =
      3 * config(back).advertisement_interval > config(before.front()).advertisement_interval + calm_delay_;
  if (!hears_in_time || !one_pace(able(), back)) return;
  const bool preempts = config(back).priority == vrrp::owner_priority ||
                        (config(back).preempt_mode && config(back).priority > config(before.front()).priority);
  expect(world_.is_master(back) == preempts,
         fmt::format("r{} came back and {} master", back, preempts ? "did not become" : "became"));
}

void Story::expect_handover(Duration bound, const std::string& after) {
  bound += 3 * calm_delay_ + 2 * tick;
  world_.run(bound);
  if (world_.masters().empty()) fail(fmt::format("no master {} after {}", net::to_string(bound), after));
  settle(patience(able()), after);
}

}  // namespace sim
