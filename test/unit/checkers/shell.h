#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "checkers/checkers.h"
#include "test/catch.h"

/// A loop with checkers on it, and all that they reported.
struct Shell {
  struct Seen {
    checkers::Key key;
    checkers::HealthState before;
    checkers::HealthState after;
    checkers::HealthChange change;
    checkers::Result result;
  };

  net::Loop loop = net::Loop::create().value();
  std::vector<Seen> seen;
  std::function<void()> then;  ///< called within every report
  checkers::Checkers checks{
      loop, [this](const checkers::Report& report) {
        seen.push_back({report.key, report.before, report.after.state, report.change, report.result});
        if (then) then();
      }};

  /// Turns the loop until `done`; the limit is only there so that a broken test ends.
  template <class Done>
  void run_until(Done done) {
    const auto limit = net::monotonic_now() + std::chrono::seconds(20);
    while (!done() && net::monotonic_now() < limit) REQUIRE(loop.turn(std::chrono::milliseconds(5)));
    REQUIRE(done());
  }

  /// The first report about `key`; null before it.
  [[nodiscard]] const Seen* first_of(const checkers::Key& key) const {
    const auto found = std::ranges::find(seen, key, &Seen::key);
    return found == seen.end() ? nullptr : &*found;
  }

  /// The first result of a probe of `key`.
  checkers::Result first_result(const checkers::Key& key) {
    checks.set({{key}});
    run_until([&] { return !seen.empty(); });
    return seen.front().result;
  }
};

/// A check that looks often enough for a test; no verdict in these tests depends on how long anything took, except
/// those that are about the timeout.
inline checkers::Key check(const net::Endpoint& target, checkers::Kind kind,
                           std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
  return {.target = target,
          .spec = {.kind = std::move(kind),
                   .interval = std::chrono::milliseconds(20),
                   .timeout = timeout,
                   .thresholds = {.rise = 2, .fall = 3}}};
}
