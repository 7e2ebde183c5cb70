// order_sim: the orders of clusters in virtual time.
//
// `order_sim [--lives N] [--first SEED]` lives N lives, one a seed, and `--long` 20,000; the first that breaks a rule
// is told with its story, and the exit status is 1. `order_sim --seed SEED` replays one. `order_sim --mutations` breaks
// one rule after the other on purpose; each must be noticed.

#include <fmt/format.h>

#include <map>

#include "test/sim/arguments.h"
#include "test/sim/mutation_check.h"
#include "test/sim/orders/life.h"

namespace {

int tell(std::uint64_t seed, const order_sim::Outcome& outcome) {
  fmt::print("{}seed {}: {}\nreplay: order_sim --seed {}\n", outcome.story, seed, *outcome.broken, seed);
  return 1;
}

int try_mutations() {
  constexpr std::uint64_t most = 400;
  int unnoticed = 0;
  for (const auto& [mutation, name] : order_sim::mutations) {
    if (!is_noticed(name, most, [&](std::uint64_t seed) { return order_sim::live(seed, mutation); })) ++unnoticed;
  }
  return unnoticed > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = parse_arguments("order_sim", argc, argv, 1000, 20'000);
  if (!arguments) return 2;
  if (arguments->mutations) return try_mutations();
  if (arguments->seed) {
    const auto outcome = order_sim::live(*arguments->seed, order_sim::Mutation::none);
    if (!outcome.broken) fmt::print("{}", outcome.story);
    return outcome.broken ? tell(*arguments->seed, outcome) : 0;
  }
  std::map<std::string, int> befell;
  for (std::uint64_t i = arguments->first; i < arguments->first + arguments->lives; ++i) {
    const auto outcome = order_sim::live(i, order_sim::Mutation::none);
    if (outcome.broken) return tell(i, outcome);
    for (const auto& [what, times] : outcome.befell) befell[what] += times;
  }
  int seldom = 0;
  for (const auto& [what, times] : befell) {
    fmt::print("{}: {}\n", what, times);
    seldom += arguments->lives >= 1000 && times < 100 ? 1 : 0;
  }
  fmt::print("{} lives{}\n", arguments->lives, seldom > 0 ? ", in which some things happened less than 100 times" : "");
  return seldom > 0 ? 1 : 0;
}
