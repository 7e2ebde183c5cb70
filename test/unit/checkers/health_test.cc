#include "checkers/health.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "test/catch.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

const net::Instant start = net::Instant(1000s);

Result passed() { return {.outcome = Outcome::passed, .sentence = "connect 10.0.0.7:80: connected"}; }
Result failed() { return {.outcome = Outcome::failed, .sentence = "connect 10.0.0.7:80: timed out after 1 s"}; }
Result not_run() { return {.outcome = Outcome::not_run, .sentence = "connect 10.0.0.7:80: could not be run: full"}; }

Result result_of(char letter) { return letter == '+' ? passed() : letter == '-' ? failed() : not_run(); }

/// The changes that a row of results ('+' passed, '-' failed, 'o' not run) brings: '.' none, 'p' pending, 'U'/'D'
/// changed.
std::string changes(std::string_view results, Thresholds limit) {
  Health health;
  std::string seen;
  for (const char letter : results) {
    const auto change = observe(health, result_of(letter), limit, start);
    seen += change == HealthChange::none      ? '.'
            : change == HealthChange::pending ? 'p'
            : health.state == HealthState::up ? 'U'
                                              : 'D';
  }
  return seen;
}

}  // namespace

TEST_CASE("the state machine by table: rise 2, fall 3") {
  const Thresholds limit{.rise = 2, .fall = 3};
  const std::pair<std::string_view, std::string_view> table[] = {
      {"+", "U"},  // the first result decides
      {"-", "D"},
      {"+---", "UppD"},
      {"+--+--+", "Upp.pp."},  // a pass between wipes the failures
      {"+--+---", "Upp.ppD"},
      {"-++", "DpU"},
      {"-+-++", "Dp.pU"},
      {"----", "D..."},
      {"++++", "U..."},
      {"+---++", "UppDpU"},
      {"o", "."},  // what could not be run decides nothing
      {"ooo-", "...D"},
      {"+-o-o-", "Up.p.D"},  // and does not interrupt a row either
      {"+--o+--", "Upp..pp"},
  };
  for (const auto& [results, expected] : table) {
    INFO(results);
    CHECK(changes(results, limit) == expected);
  }
  CHECK(changes("+-+-", {.rise = 1, .fall = 1}) == "UDUD");
}

TEST_CASE("what serves already loses its traffic only after `fall` failures, and is up with its first pass") {
  const Thresholds limit{.rise = 2, .fall = 3};
  Health failing{.serving = true};
  CHECK(observe(failing, failed(), limit, start) == HealthChange::pending);
  CHECK(observe(failing, failed(), limit, start) == HealthChange::pending);
  CHECK(describe(failing, limit, start, {}).find("failing 2 of 3") != std::string::npos);
  CHECK(observe(failing, failed(), limit, start) == HealthChange::changed);
  CHECK(failing.state == HealthState::down);
  Health passing{.serving = true};
  CHECK(observe(passing, failed(), limit, start) == HealthChange::pending);
  CHECK(observe(passing, passed(), limit, start) == HealthChange::changed);
  CHECK(passing.state == HealthState::up);
}

TEST_CASE("a verdict needs exactly rise or fall results in a row, whatever came before") {
  std::mt19937 random(7);  // NOLINT: replayable
  for (int life = 0; life < 200; ++life) {
    const Thresholds limit{.rise = std::uniform_int_distribution(1, 5)(random),
                           .fall = std::uniform_int_distribution(1, 5)(random)};
    Health health;
    int row = 0;  // of equal results, those that could not be run left out
    bool last_passed = false;
    for (int i = 0; i < 300; ++i) {
      const int dice = std::uniform_int_distribution(0, 9)(random);
      const auto before = health.state;
      if (dice == 0) {
        REQUIRE(observe(health, not_run(), limit, start) == HealthChange::none);
        REQUIRE(health.state == before);
        continue;
      }
      const bool pass = dice < 6;
      row = pass == last_passed ? row + 1 : 1;
      last_passed = pass;
      const auto change = observe(health, pass ? passed() : failed(), limit, start);
      const auto agrees = before == (pass ? HealthState::up : HealthState::down);
      const int needed = before == HealthState::unknown ? 1 : pass ? limit.rise : limit.fall;
      if (agrees) {
        REQUIRE(change == HealthChange::none);
      } else {
        // A row against the state starts with the state's beginning: it can only be as long as `needed`.
        REQUIRE(row <= needed);
        REQUIRE(change == (row == needed ? HealthChange::changed : HealthChange::pending));
      }
      REQUIRE((health.state == before) == (change != HealthChange::changed));
    }
  }
}

TEST_CASE("what this host cannot look at for a minute, nobody knows to be up") {
  const Thresholds limit{.rise = 1, .fall = 2};
  Health health;
  observe(health, passed(), limit, start);
  const auto not_run_at = [&](net::Duration after) { return observe(health, not_run(), limit, start + after); };
  CHECK(not_run_at(1s) == HealthChange::none);
  CHECK(not_run_at(60s) == HealthChange::none);
  observe(health, passed(), limit, start + 60s);  // it could once
  CHECK(not_run_at(61s) == HealthChange::none);
  CHECK(not_run_at(120s) == HealthChange::none);
  CHECK(not_run_at(121s) == HealthChange::pending);
  CHECK(not_run_at(122s) == HealthChange::changed);
  CHECK(health.state == HealthState::down);

  Health suppressed;
  auto result = not_run();
  result.suppressed = true;  // who suppresses sees to the end of it
  for (auto after = 0s; after < 300s; after += 10s)
    CHECK(observe(suppressed, result, limit, start + after) == HealthChange::none);
}

TEST_CASE("what cannot be run as the file says counts as failed") {
  Result blocked = failed();
  blocked.outcome = Outcome::blocked;
  Health health;
  observe(health, passed(), {.rise = 1, .fall = 2}, start);
  CHECK(observe(health, blocked, {.rise = 1, .fall = 2}, start) == HealthChange::pending);
  CHECK(observe(health, blocked, {.rise = 1, .fall = 2}, start) == HealthChange::changed);
}

TEST_CASE("health remembers since when, the last good moment and the last sentence") {
  const Thresholds limit{.rise = 2, .fall = 2};
  Health health{.since = start};
  observe(health, passed(), limit, start + 1s);
  CHECK(health.since == start + 1s);
  CHECK(health.last_good == start + 1s);
  observe(health, failed(), limit, start + 2s);
  CHECK(health.since == start + 1s);
  observe(health, failed(), limit, start + 3s);
  CHECK(health.since == start + 3s);
  CHECK(health.last_good == start + 1s);
  CHECK(health.last == failed().sentence);
}

TEST_CASE("the sentence says the state, since when, why, and when it was last good") {
  const Thresholds limit{.rise = 2, .fall = 3};
  // 1000 s on the monotonic clock is 12:00:00 on 2026-11-21.
  const net::WallTime noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 12h;
  const auto at = [&](const Health& health, net::Duration after) {
    return describe(health, limit, start + after, noon + std::chrono::duration_cast<net::WallTime::duration>(after));
  };

  Health health{.since = start};
  CHECK(at(health, 1s) == "unknown since 2026-11-21T12:00:00Z (1 s ago): no probe yet");
  observe(health, not_run(), limit, start);
  CHECK(at(health, 1s) ==
        "unknown since 2026-11-21T12:00:00Z (1 s ago): connect 10.0.0.7:80: could not be run: full (never passed)");
  observe(health, passed(), limit, start + 145s);
  CHECK(at(health, 146s) == "up since 2026-11-21T12:02:25Z (1 s ago): connect 10.0.0.7:80: connected");
  observe(health, failed(), limit, start + 185s);
  CHECK(at(health, 185s) ==
        "up since 2026-11-21T12:02:25Z (40 s ago), failing 1 of 3: connect 10.0.0.7:80: timed out after 1 s (last "
        "passed 40 s ago)");
  observe(health, failed(), limit, start + 186s);
  observe(health, failed(), limit, start + 187s);
  CHECK(at(health, 187s) ==
        "down since 2026-11-21T12:03:07Z (0 s ago), 3 of 3: connect 10.0.0.7:80: timed out after 1 s (last "
        "passed 42 s ago)");
  observe(health, passed(), limit, start + 190s);
  CHECK(at(health, 190s) ==
        "down since 2026-11-21T12:03:07Z (3 s ago), passing 1 of 2: connect 10.0.0.7:80: connected");
  CHECK(at(health, 187s + 24h) ==
        "down since 2026-11-21T12:03:07Z (24 h ago), passing 1 of 2: connect 10.0.0.7:80: connected");

  Health fresh{.since = start};
  observe(fresh, failed(), limit, start);
  CHECK(at(fresh, 1s) ==
        "down since 2026-11-21T12:00:00Z (1 s ago), 1 of 1: connect 10.0.0.7:80: timed out after 1 s (never passed)");
}

TEST_CASE("several checks are one state together") {
  const auto both = [](std::vector<HealthState> states) {
    return std::pair(combine(states, Combine::all), combine(states, Combine::any));
  };
  using enum HealthState;
  CHECK(both({}) == std::pair(up, up));
  CHECK(both({up}) == std::pair(up, up));
  CHECK(both({up, up}) == std::pair(up, up));
  CHECK(both({up, down}) == std::pair(down, up));
  CHECK(both({down, down}) == std::pair(down, down));
  CHECK(both({up, unknown}) == std::pair(unknown, up));
  CHECK(both({down, unknown}) == std::pair(down, unknown));
  CHECK(both({down, unknown, up}) == std::pair(down, up));
  CHECK(both({unknown}) == std::pair(unknown, unknown));
}
