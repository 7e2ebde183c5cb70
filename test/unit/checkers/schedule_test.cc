#include "checkers/schedule.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "test/catch.h"

using namespace std::chrono_literals;
using checkers::next_tick;
using checkers::Schedule;
using checkers::stable_hash;
using net::Instant;

namespace {

const Instant start = Instant(1000s);

/// Takes everything that is due and ends it at once.
std::vector<Schedule::Id> run(Schedule& schedule, Instant now) {
  std::vector<Schedule::Id> ids;
  while (const auto next = schedule.take(now)) {
    ids.push_back(next->id);
    schedule.done(next->id);
  }
  return ids;
}

}  // namespace

TEST_CASE("the hash is the same everywhere and for ever") {
  CHECK(stable_hash("") == 17280346270528514342U);
  CHECK(stable_hash("tcp 10.0.0.1:80") == 17804305047464488114U);
  CHECK(stable_hash("tcp 10.0.0.1:80") != stable_hash("tcp 10.0.0.2:80"));
}

TEST_CASE("a tick is the first instant after now at the entry's phase") {
  CHECK(next_tick(0, 2s, Instant(10s)) == Instant(12s));
  CHECK(next_tick(0, 2s, Instant(11999ms)) == Instant(12s));
  CHECK(next_tick(500'000'000, 2s, Instant(10s)) == Instant(10500ms));
  CHECK(next_tick(2'500'000'000, 2s, Instant(10500ms)) == Instant(12500ms));
  CHECK(next_tick(1'500'000'000, 2s, Instant(1s)) == Instant(1500ms));  // before the first whole interval
  CHECK(next_tick(500'000'000, 2s, Instant(1s)) == Instant(2500ms));
}

TEST_CASE("the first look comes within the warm-up, then the rhythm holds without drift") {
  Schedule schedule;
  const std::uint64_t hash = 7'300'000'000;  // 7.3 s
  schedule.add(0, hash, 10s, start);
  REQUIRE(schedule.next_due() == start + 300ms);
  CHECK_FALSE(schedule.take(start + 299ms));
  CHECK(run(schedule, start + 300ms).size() == 1);
  for (int tick = 0; tick < 5; ++tick) {
    const auto due = start + 7300ms + tick * 10s;
    REQUIRE(schedule.next_due() == due);
    const auto taken = schedule.take(due + 4ms);  // a late start delays no later one
    REQUIRE(taken);
    CHECK(taken->due == due);
    schedule.done(0);
  }
}

TEST_CASE("missed ticks are skipped, not caught up") {
  Schedule schedule;
  schedule.add(0, 0, 1s, start);
  run(schedule, start);
  CHECK(run(schedule, start + 10500ms).size() == 1);
  CHECK(schedule.next_due() == start + 11s);
}

TEST_CASE("a tick that falls while the probe is under way is skipped") {
  Schedule schedule;
  schedule.add(0, 0, 1s, start);
  REQUIRE(schedule.take(start));
  CHECK_FALSE(schedule.take(start + 1s));
  CHECK_FALSE(schedule.take(start + 2s));
  schedule.done(0);
  CHECK_FALSE(schedule.take(start + 2500ms));
  CHECK(schedule.take(start + 3s));
}

TEST_CASE("what is due comes out earliest first") {
  Schedule schedule;
  schedule.add(0, 900'000'000, 1s, start);
  schedule.add(1, 100'000'000, 1s, start);
  schedule.add(2, 500'000'000, 1s, start);
  CHECK(run(schedule, start + 900ms) == std::vector<Schedule::Id>{1, 2, 0});
}

TEST_CASE("a removed entry never comes out, and its number serves again") {
  Schedule schedule;
  schedule.add(0, 0, 1s, start);
  schedule.add(1, 0, 1s, start);
  REQUIRE(schedule.take(start)->id == 0);
  schedule.remove(0);
  schedule.remove(77);
  CHECK(run(schedule, start + 1s) == std::vector<Schedule::Id>{1});
  schedule.add(0, 0, 1s, start + 1s);
  CHECK(schedule.take(start + 1s)->id == 0);
  schedule.remove(0);
  schedule.remove(1);
  CHECK_FALSE(schedule.next_due());
}

TEST_CASE("a faster interval takes effect at its next tick, a slower one after the tick that is set") {
  Schedule schedule;
  schedule.add(0, 0, 10s, start);
  run(schedule, start);
  schedule.set_interval(0, 1s, start + 100ms);
  CHECK(schedule.next_due() == start + 1s);
  schedule.set_interval(0, 10s, start + 200ms);
  CHECK(schedule.next_due() == start + 1s);
  CHECK(run(schedule, start + 1s).size() == 1);
  CHECK(schedule.next_due() == start + 10s);
}

TEST_CASE("ten thousand phases spread evenly over the interval") {
  Schedule schedule;
  for (Schedule::Id id = 0; id < 10'000; ++id) {
    schedule.add(id, stable_hash("tcp 10.0." + std::to_string(id / 250) + "." + std::to_string(id % 250) + ":80"), 2s,
                 start);
  }
  run(schedule, start + 2s);  // past the first looks
  // 100 slots of 20 ms, 100 expected in each; the standard deviation of a fair spread is 10.
  for (int slot = 1; slot <= 100; ++slot) {
    const auto count = run(schedule, start + 2s + slot * 20ms).size();
    CHECK(count > 50);
    CHECK(count < 150);
  }
}

TEST_CASE("never two probes of one entry, and none is forgotten, over random lives") {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    const auto dice = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
    Schedule schedule;
    std::map<Schedule::Id, std::chrono::milliseconds> present;
    std::map<Schedule::Id, Instant> last_seen;  // added, started, or ended
    std::set<Schedule::Id> busy;
    auto now = start;
    for (int step = 0; step < 4000; ++step) {
      now += std::chrono::milliseconds(dice(0, 40));
      const auto id = static_cast<Schedule::Id>(dice(0, 19));
      const auto interval = std::chrono::milliseconds(dice(1, 20) * 100);
      switch (dice(0, 5)) {
        case 0:
          if (present.contains(id)) break;
          schedule.add(id, random(), interval, now);
          present[id] = interval;
          last_seen[id] = now;
          break;
        case 1:
          if (dice(0, 3) != 0) break;
          schedule.remove(id);
          present.erase(id);
          busy.erase(id);
          break;
        case 2:
          if (!present.contains(id)) break;
          schedule.set_interval(id, interval, now);
          present[id] = std::max(present[id], interval);
          break;
        default:
          if (busy.erase(id) == 0) break;
          schedule.done(id);
          last_seen[id] = now;
      }
      while (const auto next = schedule.take(now)) {
        REQUIRE(present.contains(next->id));
        REQUIRE(busy.insert(next->id).second);
        REQUIRE(next->due <= now);
        last_seen[next->id] = now;
      }
      for (const auto& [each, longest] : present) {
        if (!busy.contains(each)) REQUIRE(now - last_seen[each] <= longest + 40ms);
      }
    }
  }
}
