// A loop goes by a virtual clock as by the host's.
#include <random>
#include <vector>

#include "net/loop.h"
#include "net/virtual_clock.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using net::Duration;
using net::Instant;
using net::Loop;

namespace {

/// Random timers on a loop, which set and cancel others as they fire.
class Timers {
 public:
  Timers(Loop& loop, Instant base, std::uint32_t seed) : loop_(loop), base_(base), random_(seed) {
    for (int i = 0; i < 20; ++i) set();
    for (int i = 0; i < 4; ++i) cancel();
  }

  std::vector<std::size_t> fired;
  int early = 0;  ///< that fired before their time

 private:
  std::uint32_t below(std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(random_);
  }

  void set() {
    const std::size_t number = ids_.size();
    const Instant due = base_ + std::chrono::microseconds(below(4000));  // within a handler it may have passed
    ids_.push_back(loop_.at(due, [this, number, due] {
      fired.push_back(number);
      early += loop_.now() < due;
      if (ids_.size() < 60 && below(2) == 0) set();
      if (below(4) == 0) cancel();
    }));
  }
  void cancel() { loop_.cancel(ids_[below(static_cast<std::uint32_t>(ids_.size()))]); }

  Loop& loop_;
  Instant base_;
  std::mt19937 random_;
  std::vector<Loop::Id> ids_;
};

/// A whole millisecond, since deadlines are rounded up to one.
Instant base_of(const Loop& loop) {
  return Instant(std::chrono::ceil<std::chrono::milliseconds>(loop.now().time_since_epoch())) + 1ms;
}

}  // namespace

TEST_CASE("random timers fire in the same order by a virtual clock as by the host's") {
  std::size_t fired = 0;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Loop real = Loop::create().value();
    const Instant real_base = base_of(real);
    Timers expected(real, real_base, seed);
    std::vector<Duration> turns;  // which of the timers are due together is up to the machine
    while (real.next_due()) {
      REQUIRE(real.turn(1s));
      turns.push_back(real.now() - real_base);
    }

    net::VirtualClock clock;
    Loop imagined = Loop::create(clock).value();
    const Instant base = base_of(imagined) + 1s;
    Timers timers(imagined, base, seed);
    for (const Duration turn : turns) {
      clock.advance_to(base + turn);
      REQUIRE(imagined.turn(1s));
    }
    CHECK(timers.fired == expected.fired);
    CHECK_FALSE(imagined.next_due());
    CHECK(expected.early == 0);
    CHECK(timers.early == 0);
    fired += expected.fired.size();
  }
  CHECK(fired > 400);
}

TEST_CASE("by a virtual clock that goes from one deadline to the next, each timer fires at its own") {
  net::VirtualClock clock;
  Loop loop = Loop::create(clock).value();
  const Instant base = loop.now();
  std::vector<Duration> fired;
  for (const auto after : {3ms, 1ms, 7200000ms}) {
    loop.after(after, [&] { fired.push_back(loop.now() - base); });
  }
  while (const auto due = loop.next_due()) {
    clock.advance_to(*due);
    REQUIRE(loop.turn(0s));
  }
  CHECK(fired == std::vector<Duration>{1ms, 3ms, 2h});
}

TEST_CASE("the wall's clock goes on from where somebody set it, and time never goes back") {
  net::VirtualClock clock;
  const auto then = clock.now();
  clock.advance_to(then + 5s);
  clock.advance_to(then + 1s);
  CHECK(clock.now() == then + 5s);
  clock.set_wall(net::WallTime(100s));
  clock.advance_to(then + 6s);
  CHECK(clock.wall() == net::WallTime(101s));
  CHECK(clock.now() == then + 6s);
}
