// cluster_sim: whole clusters' lives in virtual time.
//
// `cluster_sim [--lives N] [--first SEED]` lives N lives, one a seed, and `--long` 50,000; the first that breaks a rule
// is told with its story, and the exit status is 1. `cluster_sim --seed SEED [-v]` replays one; -v prints it as it
// happens. At the end it says how often each thing befell them; one that hardly ever did is a failure too. `cluster_sim
// --mutations` breaks one rule after the other on purpose; each must be noticed.

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>

#include "test/sim/arguments.h"
#include "test/sim/cluster/life.h"
#include "test/sim/mutation_check.h"

namespace {

int tell(std::uint64_t seed, const cluster_sim::Outcome& outcome, bool told_already) {
  if (!told_already) fmt::print("{}", outcome.story);
  fmt::print("seed {}: {}\nreplay: cluster_sim --seed {} -v\n", seed, *outcome.broken, seed);
  return 1;
}

/// Breaks a rule on purpose, one after the other: each must be noticed, and soon.
int try_mutations() {
  constexpr std::uint64_t most = 400;
  int unnoticed = 0;
  for (const auto mutation : cluster_sim::mutations()) {
    const auto live = [&](std::uint64_t seed) { return cluster_sim::live(seed, false, mutation); };
    if (!is_noticed(to_string(mutation), most, live)) ++unnoticed;
  }
  return unnoticed > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse_arguments("cluster_sim", argc, argv, 200, 50'000);
  if (!arguments) return 2;
  spdlog::set_level(spdlog::level::off);  // what the directors log is in the story
  if (arguments->mutations) return try_mutations();
  if (arguments->seed) {
    const auto outcome = cluster_sim::live(*arguments->seed, arguments->verbose);
    return outcome.broken ? tell(*arguments->seed, outcome, arguments->verbose) : 0;
  }
  std::map<std::string, int> befell;
  for (std::uint64_t i = arguments->first; i < arguments->first + arguments->lives; ++i) {
    const auto outcome = cluster_sim::live(i, false);
    if (outcome.broken) return tell(i, outcome, false);
    for (const auto& [what, times] : outcome.befell) befell[what] += times;
    if (i % 20 != 0) continue;
    if (cluster_sim::live(i, false).story != outcome.story) {
      fmt::print("seed {}: the same seed told two stories\n", i);
      return 1;
    }
  }
  int seldom = 0;
  for (const auto& [what, times] : befell) {
    fmt::print("{}: {}\n", what, times);
    seldom += arguments->lives >= 2000 && times < 100 ? 1 : 0;
  }
  fmt::print("{} lives{}\n", arguments->lives, seldom > 0 ? ", in which some things happened less than 100 times" : "");
  return seldom > 0 ? 1 : 0;
}
