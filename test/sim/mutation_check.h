#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Lives lives, from seed 1 to `most`, in which a rule is broken on purpose, and prints in which one of them that is
/// noticed; `live` is given a seed, and its result says in `broken` what was. False: it is not noticed.
template <class Live>
bool is_noticed(std::string_view mutation, std::uint64_t most, Live live) {
  std::uint64_t seed = 0;
  std::optional<std::string> broken;
  while (!broken && seed < most) broken = live(++seed).broken;
  fmt::print("{}: {}\n", mutation, broken ? fmt::format("noticed in life {}: {}", seed, *broken) : "NOT NOTICED");
  return broken.has_value();
}
