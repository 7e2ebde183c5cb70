// sim: thousands of VRRP routers' lives in virtual time.
//
// `sim [--lives N] [--first SEED]` lives N lives, one a seed, and `sim --long` 100,000: the first that breaks a rule is
// printed, and the exit status is 1. `sim --seed SEED [-v]` replays one; -v prints it. `sim --mutations` breaks one
// rule of the routers after the other; each must be noticed.

#include <fmt/format.h>

#include "test/sim/arguments.h"
#include "test/sim/life.h"
#include "test/sim/mutations.h"

namespace {

constexpr std::uint64_t mutation_lives = 2000;  ///< within which a mutation must be noticed

std::optional<sim::Violation> violation_of(std::uint64_t seed, const sim::Mutation& mutation, bool trace = false) {
  try {
    sim::live(seed, mutation, trace);
    return std::nullopt;
  } catch (const sim::Violation& violation) {
    return violation;
  }
}

void print(std::uint64_t seed, const sim::Violation& violation) {
  const auto seconds = std::chrono::duration<double>(violation.at.time_since_epoch() - std::chrono::hours(1)).count();
  fmt::print("life {} ({})\n  at {:.4f} s: {}\n  replay: sim --seed {} -v\n", seed, sim::describe(seed), seconds,
             violation.what, seed);
}

int replay(std::uint64_t seed, bool trace) {
  fmt::print("life {}: {}\n", seed, sim::describe(seed));
  const auto violation = violation_of(seed, sim::Mutation{}, trace);
  if (violation) print(seed, *violation);
  return violation ? 1 : 0;
}

int live_all(std::uint64_t first, std::uint64_t lives) {
  const sim::Mutation none;
  for (std::uint64_t seed = first; seed < first + lives; ++seed) {
    const auto violation = violation_of(seed, none);
    if (!violation) continue;
    print(seed, *violation);
    return 1;
  }
  fmt::print("{} lives, seeds {}..{}: every rule held\n", lives, first, first + lives - 1);
  return lives > 0 ? 0 : 1;
}

int show_that_it_can_fail() {
  int unnoticed = 0;
  for (const sim::Mutation& mutation : sim::mutations()) {
    std::optional<sim::Violation> violation;
    std::uint64_t seed = 0;
    while (!violation && seed < mutation_lives) violation = violation_of(++seed, mutation);
    fmt::print(
        "{:<62} {}\n", mutation.rule,
        violation ? fmt::format("broken: noticed in life {}: {}", seed, violation->what) : "broken: NOT NOTICED");
    if (!violation) ++unnoticed;
  }
  fmt::print("{} rules broken, {} not noticed\n", sim::mutations().size(), unnoticed);
  return unnoticed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_arguments("sim", argc, argv, 5000, 100'000);
  if (!options) return 2;
  if (options->mutations) return show_that_it_can_fail();
  if (options->seed) return replay(*options->seed, options->verbose);
  return live_all(options->first, options->lives);
}
