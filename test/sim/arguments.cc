#include "test/sim/arguments.h"

#include <fmt/format.h>
#include <getopt.h>

#include <charconv>
#include <cstring>

namespace {

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<Arguments> parse(int argc, char** argv, std::uint64_t lives, std::uint64_t long_lives) {
  const option known[] = {{"lives", required_argument, nullptr, 'l'},
                          {"first", required_argument, nullptr, 'f'},
                          {"seed", required_argument, nullptr, 's'},
                          {"long", no_argument, nullptr, 'L'},
                          {"mutations", no_argument, nullptr, 'm'},
                          {"verbose", no_argument, nullptr, 'v'},
                          {nullptr, 0, nullptr, 0}};
  Arguments arguments{.lives = lives};
  for (int c = 0; (c = getopt_long(argc, argv, "v", known, nullptr)) != -1;) {
    const auto value = optarg != nullptr ? number(optarg) : std::nullopt;
    if (optarg != nullptr && !value) return std::nullopt;
    switch (c) {
      case 'l':
        arguments.lives = *value;
        break;
      case 'f':
        arguments.first = *value;
        break;
      case 's':
        arguments.seed = *value;
        break;
      case 'L':
        arguments.lives = long_lives;
        break;
      case 'm':
        arguments.mutations = true;
        break;
      case 'v':
        arguments.verbose = true;
        break;
      default:
        return std::nullopt;
    }
  }
  return optind == argc ? std::optional(arguments) : std::nullopt;
}

}  // namespace

std::optional<Arguments> parse_arguments(const char* program, int argc, char** argv, std::uint64_t lives,
                                         std::uint64_t long_lives) {
  auto arguments = parse(argc, argv, lives, long_lives);
  if (!arguments) {
    fmt::print(stderr, "usage: {0} [--lives N] [--first SEED] [--long] | {0} --seed SEED [-v] | {0} --mutations\n",
               program);
  }
  return arguments;
}
