#include "ipvs/ctl/rule_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ipvs {

namespace {

constexpr auto is_separator = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };

/// Runs a rule on `kernel` and notes what is not of its table.
net::Result<> run(const Op& op, MemoryKernel& kernel, Desired& desired) {
  // Which schedulers there are is for the real kernel to say.
  if (const auto* add = std::get_if<AddService>(&op)) kernel.schedulers.insert(add->service.scheduler);
  if (const auto* set = std::get_if<SetService>(&op)) kernel.schedulers.insert(set->service.scheduler);
  if (const auto* timeouts = std::get_if<SetTimeouts>(&op)) desired.timeouts = timeouts->timeouts;
  if (const auto* start = std::get_if<StartDaemon>(&op)) {
    kernel.interfaces.try_emplace(start->daemon.interface, 1500);
    desired.daemons.push_back(start->daemon);
  }
  if (const auto* stop = std::get_if<StopDaemon>(&op)) {
    std::erase_if(desired.daemons, [&](const Daemon& daemon) { return daemon.state == stop->state; });
  }
  return kernel.apply_one(op);
}

}  // namespace

std::expected<std::optional<Command>, UsageError> parse_rule(std::string_view line) {
  std::array<std::string_view, 64> words;
  std::size_t count = 0;
  for (const char* at = line.begin(); (at = std::find_if_not(at, line.end(), is_separator)) != line.end();) {
    if (count == words.size())
      return std::unexpected(UsageError{.status = 2, .message = "the line has too many words"});
    const char* end = std::find_if(at, line.end(), is_separator);
    words[count++] = {at, end};
    at = end;
  }
  const bool named = count > 0 && (words[0] == "ipvsadm" || words[0] == "ipvsctl");
  const auto command = std::span(words).first(count).subspan(named ? 1 : 0);
  if (command.empty() || command[0].starts_with('#')) return std::nullopt;
  return parse_command(command);
}

net::Result<Desired> read_desired(std::string_view text) {
  Desired desired;
  MemoryKernel kernel;
  for (int number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto command = parse_rule(line);
    if (!command) return net::failure(fmt::format("line {}: {}", number, command.error().message));
    if (!*command) continue;
    if (!(*command)->op) {
      return net::failure(fmt::format("line {}: '{}' is not allowed in rules", number, name((*command)->verb)));
    }
    if (const auto done = run(*(*command)->op, kernel, desired); !done) {
      return net::failure(fmt::format("line {}: {}", number, done.error().message));
    }
  }
  desired.table = table_of(kernel.table);
  return desired;
}

bool matches(const Timeouts& actual, const Timeouts& wanted) {
  const auto same = [](std::chrono::seconds a, std::chrono::seconds w) { return w.count() == 0 || a == w; };
  return same(actual.tcp, wanted.tcp) && same(actual.tcp_fin, wanted.tcp_fin) && same(actual.udp, wanted.udp);
}

bool matches(const Daemon& actual, const Daemon& wanted) {
  Daemon expected = wanted;
  if (wanted.max_length == 0) expected.max_length = actual.max_length;
  if (!wanted.group) expected.group = actual.group;
  if (wanted.port == 0) expected.port = actual.port;
  if (wanted.ttl == 0) expected.ttl = actual.ttl;
  return actual == expected;
}

}  // namespace ipvs
