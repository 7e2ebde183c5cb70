#pragma once

#include <cstdint>
#include <optional>

/// What both simulations are asked for.
struct Arguments {
  std::uint64_t lives = 0;
  std::uint64_t first = 1;
  std::optional<std::uint64_t> seed{};  ///< of the one life to be replayed
  bool verbose = false;
  bool mutations = false;
};

/// [--lives N] [--first SEED] [--long] | --seed SEED [-v] | --mutations. Without them `lives`, with --long
/// `long_lives`. Nothing, after a line that says how `program` is called, if they are anything else.
[[nodiscard]] std::optional<Arguments> parse_arguments(const char* program, int argc, char** argv, std::uint64_t lives,
                                                       std::uint64_t long_lives);
