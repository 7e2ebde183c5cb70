// ipvsctl: the kernel's IPVS table by hand. A first word diff, apply or watch is our own; all else is ipvsadm's
// grammar.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <span>

#include "ipvs/ctl/session.h"
#include "ipvs/ctl/usage.h"
#include "ipvs/ctl/watch.h"
#include "ipvs/netlink_kernel.h"
#include "net/version.h"

namespace {

using ipvs::Verb;

constexpr int usage_status = 2;
constexpr int kernel_status = 255;

int print_error(std::string_view message, int status) {
  fmt::print(stderr, "ipvsctl: {}\n", message);
  return status;
}

/// Runs `work(kernel)`, or says why there is no kernel to work on.
template <class Work>
int with_kernel(Work work) {
  auto kernel = ipvs::NetlinkKernel::open();
  if (!kernel) return print_error(kernel.error().message, kernel_status);
  return work(*kernel);
}

std::optional<std::string> read_file(const char* path) {
  const bool standard = path == std::string_view("-");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(standard ? stdin : std::fopen(path, "r"), std::fclose);
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 4096> part;
  while (!std::feof(file.get()) && !std::ferror(file.get())) {
    text.append(part.data(), std::fread(part.data(), 1, part.size(), file.get()));
  }
  if (std::ferror(file.get())) return std::nullopt;
  return text;
}

/// diff FILE [--json], apply FILE.
int run_file_verb(std::string_view verb, std::span<char*> arguments) {
  bool json = false;
  const char* path = nullptr;
  for (const char* argument : arguments) {
    if (verb == "diff" && argument == std::string_view("--json")) {
      json = true;
    } else if (path) {
      return print_error(fmt::format("{}: unexpected argument {}", verb, argument), usage_status);
    } else {
      path = argument;
    }
  }
  if (!path) return print_error(fmt::format("{} needs a rules file, or - for standard input", verb), usage_status);
  const auto rules = read_file(path);
  if (!rules) return print_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)), usage_status);
  return with_kernel([&](ipvs::Kernel& kernel) {
    ipvs::Session session(kernel, stdout, stderr);
    return verb == "diff" ? session.diff(*rules, json) : session.apply(*rules);
  });
}

struct WatchOptions {
  bool numeric = false;
  bool json = false;
  double interval = 1;
  std::uint32_t count = 0;  ///< 0: until interrupted
};

std::expected<WatchOptions, std::string> parse_watch(std::span<char*> arguments) {
  WatchOptions options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    const char* value = i + 1 < arguments.size() ? arguments[i + 1] : "";
    if (argument == "-n" || argument == "--numeric") {
      options.numeric = true;
    } else if (argument == "--json") {
      options.json = true;
    } else if (argument == "--interval") {
      char* end = nullptr;
      options.interval = std::strtod(value, &end);
      if (end == value || *end || !(options.interval >= 0.1 && options.interval <= 3600)) {
        return std::unexpected(fmt::format("watch: invalid interval `{}': expected seconds, 0.1..3600", value));
      }
      ++i;
    } else if (argument == "--count") {
      const auto count = ipvs::parse_number(value, 1, 1'000'000'000);
      if (!count)
        return std::unexpected(fmt::format("watch: invalid count `{}': expected a number, 1..1000000000", value));
      options.count = *count;
      ++i;
    } else {
      return std::unexpected(fmt::format("watch: unexpected argument {}", argument));
    }
  }
  return options;
}

volatile std::sig_atomic_t interrupted = 0;

void wait(double seconds) {
  timespec left{.tv_sec = static_cast<time_t>(seconds), .tv_nsec = 0};
  left.tv_nsec = static_cast<long>((seconds - static_cast<double>(left.tv_sec)) * 1e9);
  ::nanosleep(&left, nullptr);
}

int watch(ipvs::Kernel& kernel, const WatchOptions& options) {
  struct sigaction on_interrupt{};
  on_interrupt.sa_handler = [](int) { interrupted = 1; };
  ::sigaction(SIGINT, &on_interrupt, nullptr);
  ::sigaction(SIGTERM, &on_interrupt, nullptr);
  const bool in_place = !options.json && ::isatty(STDOUT_FILENO);
  ipvs::NameResolver namer(options.numeric);
  std::unique_ptr<ipvs::Sample> before;
  int status = 0;
  if (in_place) fmt::print("\x1b[?25l\x1b[2J");
  for (std::uint32_t shown = 0; !interrupted && (options.count == 0 || shown < options.count); ++shown) {
    if (shown > 0) wait(options.interval);
    auto snapshot = kernel.list();
    if (!snapshot) {
      status = print_error(snapshot.error().message, kernel_status);
      break;
    }
    auto now = std::make_unique<ipvs::Sample>(
        ipvs::Sample{.snapshot = std::move(*snapshot), .at = std::chrono::steady_clock::now()});
    winsize window{};
    if (!in_place || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_row < 2)
      window = {65535, 65535, 0, 0};
    const std::string text = options.json ? watch_json(before.get(), *now)
                                          : watch_frame(before.get(), *now, namer, window.ws_col,
                                                        static_cast<std::size_t>(window.ws_row - 1));
    fmt::print("{}{}{}", in_place ? "\x1b[H\x1b[J" : "", text, in_place || options.json ? "" : "\n");
    std::fflush(stdout);
    before = std::move(now);
  }
  if (in_place) fmt::print("\x1b[?25h");
  return status;
}

int run_command(std::span<char*> arguments) {
  std::vector<std::string_view> words(arguments.begin(), arguments.end());
  if (words.empty()) words = {"-L"};
  const auto command = ipvs::parse_command(words);
  if (!command) return print_error(command.error().message, command.error().status);
  switch (command->verb) {
    case Verb::help:
      fmt::print("{}", ipvs::usage);
      return 0;
    case Verb::version:
      fmt::print("ipvsctl {}\n", net::version());
      return 0;
    default:
      break;
  }
  return with_kernel([&](ipvs::Kernel& kernel) {
    ipvs::Session session(kernel, stdout, stderr);
    if (command->verb != Verb::restore && command->verb != Verb::batch) return session.run(*command);
    return session.restore(STDIN_FILENO, command->verb == Verb::batch);
  });
}

}  // namespace

int main(int argc, char** argv) {
  // What one service's destinations took is kept for the next one's: page faults are most of a long listing's cost.
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
  ::mallopt(M_MMAP_THRESHOLD, 256 << 10);
  const auto arguments = std::span(argv, static_cast<std::size_t>(argc)).subspan(1);
  const std::string_view verb = arguments.empty() ? "" : arguments[0];
  int status = 0;
  if (verb == "diff" || verb == "apply") {
    status = run_file_verb(verb, arguments.subspan(1));
  } else if (verb == "watch") {
    const auto options = parse_watch(arguments.subspan(1));
    status = options ? with_kernel([&](ipvs::Kernel& kernel) { return watch(kernel, *options); })
                     : print_error(options.error(), usage_status);
  } else {
    status = run_command(arguments);
  }
  if (std::fflush(stdout) != 0 && status == 0) return print_error("cannot write the output", 1);
  return status;
}
