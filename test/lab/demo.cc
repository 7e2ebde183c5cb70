// lab-demo: the reference scenario, to look at. ./dev demo runs it in the lab.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "test/lab/view.h"

namespace {

using Forward = lab::Pair::Forward;

constexpr auto usage = R"(usage: lab-demo [nat|dr] [--advert MILLISECONDS]

Two directors, two web servers and a client on a real IPVS kernel: balancing, a server's death, a drain, a director's
crash, loss of link and clean stop; first with NAT, then with direct routing (DR), or only the one that is named.
  --advert MILLISECONDS   between VRRP adverts, 10..40950; a takeover takes three of them and a bit (default 100)
Exit status: 0 if every row of the closing table holds, else 1.
)";

struct Arguments {
  std::vector<Forward> forwards{Forward::nat, Forward::dr};
  std::chrono::milliseconds advertise{100};
};

std::optional<Arguments> parse(std::span<char*> words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "nat") {
      arguments.forwards = {Forward::nat};
    } else if (word == "dr") {
      arguments.forwards = {Forward::dr};
    } else if (word == "--advert" && i + 1 < words.size()) {
      int value = 0;
      const char* end = words[i + 1] + std::strlen(words[i + 1]);
      if (std::from_chars(words[++i], end, value).ptr != end || value < 10 || value > 40950) return {};
      arguments.advertise = std::chrono::milliseconds(value);
    } else {
      return {};
    }
  }
  return arguments;
}

}  // namespace

int main(int argc, char** argv) try {
  const auto arguments = parse(std::span(argv + 1, static_cast<std::size_t>(argc - 1)));
  if (!arguments) {
    fmt::print(stderr, "{}", usage);
    return 2;
  }
  const int columns = lab::terminal_columns();
  std::vector<lab::Row> all;
  std::string tables;
  for (const auto forward : arguments->forwards) {
    lab::View view(columns);
    const auto rows =
        lab::play({.forward = forward, .advertise = arguments->advertise, .programs = lab::programs_folder()}, view);
    tables += fmt::format("\n{}: what was expected, and what was measured\n{}", forward == Forward::nat ? "NAT" : "DR",
                          lab::summary(rows, columns));
    all.insert(all.end(), rows.begin(), rows.end());
  }
  const auto broken = std::ranges::count(all, false, &lab::Row::holds);
  fmt::print("\n{}\n{}\n", tables,
             broken == 0 ? fmt::format("All {} rows passed.", all.size())
                         : fmt::format("{} of {} rows failed.", broken, all.size()));
  return broken == 0 ? 0 : 1;
} catch (const std::exception& error) {
  fmt::print(stderr, "lab-demo: {}\n", error.what());
  return 1;
}
