#include "test/lab/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "test/lab/ipvs_table.h"

namespace lab {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view bold = "1", red = "31", green = "32", dim = "2";
constexpr auto redraw_interval = 250ms;
constexpr auto rate_window = 1s;

std::string painted(bool colours, std::string_view colour, std::string_view text) {
  return colours ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : std::string(text);
}

std::string bar(int per_second, int full) {
  const int width = std::clamp(per_second * 30 / std::max(full, 1), 0, 30);
  return std::string(static_cast<std::size_t>(width), '#') + std::string(static_cast<std::size_t>(30 - width), '.');
}

}  // namespace

std::string View::paint(std::string_view colour, std::string_view text) const {
  return painted(columns_ > 0, colour, text);
}

void View::print_above(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  const auto height = std::ranges::count(block_, '\n');
  if (height > 0) fmt::print("\x1b[{}A\x1b[J", height);
  fmt::print("{}{}", lines, block_);
  std::fflush(stdout);  // standard output is a file that the host's side follows
}

void View::raise_curtain(const Pair& pair, const Prober& prober) {
  if (columns_ == 0) return;
  curtain_ = net::monotonic_now();
  thread_ = std::jthread([this, &pair, &prober](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      auto fresh = block(pair, prober);
      {
        const std::lock_guard lock(mutex_);
        const auto height = std::ranges::count(block_, '\n');
        block_ = std::move(fresh);
        fmt::print("{}{}", height > 0 ? fmt::format("\x1b[{}A\x1b[J", height) : "", block_);
        std::fflush(stdout);
      }
      std::this_thread::sleep_for(redraw_interval);
    }
  });
}

void View::drop_curtain() {
  thread_ = {};
  const auto height = std::ranges::count(block_, '\n');
  if (height > 0) fmt::print("\x1b[{}A\x1b[J", height);
  block_.clear();
}

std::string View::block(const Pair& pair, const Prober& prober) {
  const auto now = net::monotonic_now();
  const auto tally = prober.tally(now - rate_window, now);
  const auto all = rate_window / Prober::interval;
  std::string text = fmt::format("{}\n", std::string(static_cast<std::size_t>(std::min(columns_, 78)), '-'));
  for (const auto& director : pair.directors) {
    const bool holds = pair.holds_any(director), running = director.fate == Pair::Fate::running;
    text += fmt::format("  {:<7}{} {}\n", director.host->name,
                        running ? paint(holds ? green : dim, holds ? "master     " : "backup     ")
                                : paint(red, fmt::format("{:<11}", to_string(director.fate))),
                        holds ? "holds 192.168.56.10 and 192.168.200.250" : "");
  }
  const bool first = pair.holds_both(pair.lb1) && pair.lb1.fate != Pair::Fate::killed;
  const Host& master = *(first ? pair.lb1 : pair.lb2).host;
  for (const auto& web : pair.webs) {
    const auto found = tally.by_server.find(web.host->name);
    const int rate = found == tally.by_server.end() ? 0 : found->second;
    const int weight = weight_of(master, web.endpoint);
    text += fmt::format("  {:<7}{} {} {:>4}/s\n", web.host->name,
                        paint(weight > 0 ? green : red, fmt::format("weight {:<4}", weight)),
                        bar(rate, static_cast<int>(all)), rate);
  }
  text += fmt::format("  {:<7}{} requests failed in the last second; {:.0f} s\n", "client",
                      paint(tally.failed > 0 ? red : green, fmt::format("{:>4}", tally.failed)),
                      std::chrono::duration<double>(now - curtain_).count());
  return text;
}

void View::step(std::string_view title) { print_above(fmt::format("\n{}\n", paint(bold, title))); }

void View::row(const Row& row) {
  print_above(fmt::format("  {} {}: {} {}\n", row.holds ? paint(green, "ok  ") : paint(red, "FAIL"), row.what,
                          row.measured, paint(dim, fmt::format("(expected: {})", row.expected))));
}

void View::evidence(std::string_view text) { print_above(text); }

std::string summary(std::span<const Row> rows, int columns) {
  std::size_t what = 0, expected = 0, measured = 0;  // widths
  for (const auto& row : rows) {
    what = std::max(what, row.what.size());
    expected = std::max(expected, row.expected.size());
    measured = std::max(measured, row.measured.size());
  }
  std::string text, step;
  for (const auto& row : rows) {
    if (row.step != step) text += painted(columns > 0, bold, step = row.step) + "\n";
    text += fmt::format("    {:<{}}  {:<{}}  {:<{}}  {}\n", row.what, what, row.expected, expected, row.measured,
                        measured, row.holds ? painted(columns > 0, green, "ok") : painted(columns > 0, red, "FAIL"));
  }
  return text;
}

int terminal_columns() {
  const char* columns = std::getenv("LAB_COLUMNS");
  return columns == nullptr ? 0 : std::atoi(columns);
}

}  // namespace lab
