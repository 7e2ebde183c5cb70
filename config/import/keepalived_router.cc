#include "config/import/keepalived_router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "net/address.h"

namespace config {

namespace {

/// A whole number, no further from 0 than `most`; 0 where there is none.
int whole(std::string_view text, int most) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::clamp(value, -most, most);
}

constexpr int weight_max = 253, seconds_max = 86'400, count_max = 1000;

/// The word behind `key`; empty if there is none.
std::string after(const Statement& line, std::string_view key) {
  const auto found = std::ranges::find(line.words, key);
  return found == line.words.end() || found + 1 == line.words.end() ? std::string() : *(found + 1);
}

void not_carried(const Statement& line, const Note& note) {
  note(line.line, fmt::format("not carried over: {}", fmt::join(line.words, " ")));
}

/// keepalived raises the priority while a tracker with a weight above 0 passes; here it is lowered while that fails.
std::string lowering(const Statement& line, int weight, const Note& note) {
  if (weight == 0) return "";
  if (weight > 0) {
    note(line.line, fmt::format("keepalived adds {0} to the priority while {1} passes; directord subtracts {0} while "
                                "it fails: the same if every node has the tracker",
                                weight, line.word(0)));
  }
  return fmt::format(", lower: {}", std::abs(weight));
}

std::string script_check(const Statement& script, const Note& note) {
  std::string line = script.value("script");
  if (!line.starts_with('/')) {
    note(script.line, fmt::format("the program of {} needs its full path", script.word(1)));
    line.insert(0, fmt::format("{}/", fill_in));
  }
  note(script.line, "the program runs without a shell, as user nobody unless `user` is set");
  const int interval = std::max(1, whole(script.value("interval"), seconds_max));
  const int timeout = whole(script.value("timeout"), seconds_max);
  std::string text = fmt::format("exec: {{ command: {} }}, interval: {}s", command_words(line), interval);
  if (timeout > 0 && timeout < interval) text += fmt::format(", timeout: {}s", timeout);
  if (timeout >= interval || (timeout == 0 && interval <= 1)) text += fmt::format(", timeout: {}ms", interval * 500);
  for (const char* counter : {"rise", "fall"}) {
    text += fmt::format(", {}: {}", counter, std::max(1, whole(script.value(counter), count_max)));
  }
  return text;
}

}  // namespace

std::string command_words(std::string_view line) {
  std::vector<std::string> words;
  for (std::string_view rest = line; !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (!word.empty()) words.push_back(yaml_string(word));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
  }
  return fmt::format("[{}]", fmt::join(words, ", "));
}

std::string virtual_address(const Statement& line, const std::string& interface, const Note& note) {
  std::string address = line.word(0);
  if (address.empty()) return "";
  if (!address.contains('/')) address += address.contains(':') ? "/128" : "/32";
  const std::string device = after(line, "dev"), scope = after(line, "scope");
  if (!device.empty() && device != interface) {
    note(line.line, fmt::format("{} is on {}: create a separate virtual router for it there, and put both in one group",
                                line.word(0), device));
  }
  std::string label = after(line, "label");
  label.erase(0, label.rfind(':') + 1);  // without the interface, which comes before it here too
  if (label.empty() && scope.empty()) return yaml_string(address);
  std::string text = "{ address: " + yaml_string(address);
  if (!label.empty()) text += ", label: " + yaml_string(label);
  if (!scope.empty()) text += ", scope: " + yaml_word(scope);
  return text + " }";
}

std::string virtual_route(const Statement& line, const Note& note) {
  static const std::set<std::string_view> known = {"via", "dev", "src", "table", "metric", "scope"};
  const bool sent_from = line.word(0) == "src";  // the older way: src ADDRESS to NETWORK
  std::size_t next = sent_from ? 2 : 0;
  if (line.word(next) == "to") ++next;
  const std::string to = line.word(next);
  const bool network = to == "default" || net::Prefix::parse(to) || net::Address::parse(to);
  std::string text = "{ to: ";
  if (to == "default" || to.contains('/')) {
    text += yaml_string(to);
  } else {
    text += yaml_string(to + (to.contains(':') ? "/128" : "/32"));
  }
  if (sent_from) text += ", src: " + yaml_string(line.word(1));
  for (++next; next < line.words.size(); next += 2) {
    const std::string key = line.words[next] == "gw" ? "via" : line.words[next];
    if (!known.contains(key) || next + 1 == line.words.size()) {
      not_carried(line, note);
      return "";
    }
    text +=
        fmt::format(", {}: {}", key,
                    key == "via" || key == "src" ? yaml_string(line.words[next + 1]) : yaml_word(line.words[next + 1]));
  }
  if (network) return text + " }";
  not_carried(line, note);
  return "";
}

std::vector<Imported::Tracker> trackers(const Statement& section, std::span<const Statement* const> scripts,
                                        const Note& note) {
  std::vector<Imported::Tracker> found;
  for (const Statement& each : section.body) {
    const std::string given = after(each, "weight");
    if (section.keyword() == "track_interface") {
      found.push_back(
          {.name = each.word(0),
           .text = "{ link: " + yaml_string(each.word(0)) + lowering(each, whole(given, weight_max), note) + " }"});
      continue;
    }
    const auto script = std::ranges::find(scripts, each.word(0), [](const Statement* one) { return one->word(1); });
    if (script == scripts.end()) {
      not_carried(each, note);
      continue;
    }
    const int weight = whole(given.empty() ? (*script)->value("weight") : given, weight_max);
    found.push_back(
        {.name = each.word(0),
         .text = "{ check: { " + script_check(**script, note) + " }" + lowering(each, weight, note) + " }"});
  }
  return found;
}

}  // namespace config
