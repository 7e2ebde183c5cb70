#include "config/ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <expected>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace config {
namespace {

constexpr std::uint32_t max_written_out = 200'000;  // servers that ranges may stand for, in all

/// Text around one "(FIRST-LAST)".
struct Range {
  std::string before, after;
  std::uint32_t first = 0, last = 0;
  std::size_t width = 0;  ///< digits, when padded

  [[nodiscard]] std::uint32_t size() const { return last - first + 1; }
  [[nodiscard]] std::string at(std::uint32_t index) const {
    return fmt::format("{}{:0{}}{}", before, first + index, width, after);
  }
};

std::optional<std::uint32_t> number(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.size() > 9) return std::nullopt;
  return value;
}

/// Nothing for text without parentheses; an error's message for what is no range between them.
std::expected<std::optional<Range>, std::string> parse_range(std::string_view text) {
  const auto open = text.find('(');
  if (open == std::string_view::npos) return std::nullopt;
  const auto refused = std::unexpected(fmt::format("{}: expected one range such as (1-20)", in_quotes(text)));
  const auto close = text.find(')', open);
  const auto dash = text.find('-', open);
  if (close == std::string_view::npos || dash > close || text.find('(', close) != std::string_view::npos)
    return refused;
  const auto first_digits = text.substr(open + 1, dash - open - 1);
  const auto first = number(first_digits);
  const auto last = number(text.substr(dash + 1, close - dash - 1));
  if (!first || !last || *first > *last) return refused;
  return Range{.before = std::string(text.substr(0, open)),
               .after = std::string(text.substr(close + 1)),
               .first = *first,
               .last = *last,
               .width = first_digits.starts_with('0') ? first_digits.size() : 0};
}

class Expander {
 public:
  Expander(Document& document, Diagnostics& diagnostics) : document_(document), diagnostics_(diagnostics) {}

  void expand(YamlNode& servers) {
    if (servers.kind != YamlNode::Kind::map || !done_.insert(&servers).second) return;
    bool has_range = false;
    for (const auto& entry : servers.entries) has_range = has_range || entry.name.find('(') != std::string::npos;
    if (!has_range) return;
    std::vector<Entry> written_out;
    for (const auto& entry : servers.entries) expand(entry, written_out);
    servers.entries = unique(std::move(written_out));
  }

 private:
  void expand(const Entry& entry, std::vector<Entry>& written_out) {
    const auto name = parse_range(entry.name);
    if (!name) {
      diagnostics_.error(entry.place, name.error());
      // Its first server stands in for it, so that nothing else seems to be missing.
      return written_out.push_back({.name = entry.name, .place = entry.place, .value = copy(*entry.value, 0)});
    }
    if (!*name) return written_out.push_back(entry);
    const Range& range = **name;
    const bool too_many = range.size() > max_written_out - std::min(count_, max_written_out);
    if (too_many) {
      diagnostics_.error(entry.place,
                         fmt::format("the ranges up to here expand to more than {} servers", max_written_out));
    }
    const auto count = too_many || !check_values(entry, range) ? 1 : range.size();
    count_ += count;
    for (std::uint32_t i = 0; i < count; ++i) {
      diagnostics_.go_on();
      written_out.push_back({.name = range.at(i), .place = entry.place, .value = copy(*entry.value, i)});
    }
  }

  bool check_values(const Entry& entry, const Range& names) {
    for (const auto& member : entry.value->entries) {
      if (member.value->kind != YamlNode::Kind::scalar) continue;
      const auto values = parse_range(member.value->text);
      if (!values) {
        diagnostics_.error(member.value->place, values.error());
        return false;
      }
      if (!*values || (*values)->size() == names.size()) continue;
      diagnostics_.error(
          member.value->place,
          fmt::format("{} has {} values, {} has {}; expected ranges of the same length", in_quotes(entry.name),
                      names.size(), in_quotes(member.value->text), (*values)->size()));
      return false;
    }
    return true;
  }

  /// The `index`th of what a server's map stands for; what has no range is shared.
  YamlNode* copy(const YamlNode& node, std::uint32_t index) {
    if (node.kind == YamlNode::Kind::scalar) {
      const auto range = parse_range(node.text);
      document_.push_back(node);
      if (range && *range) document_.back().text = (*range)->at(index);
      return &document_.back();
    }
    document_.push_back(node);
    YamlNode& server = document_.back();
    for (auto& member : server.entries) {
      if (member.value->kind == YamlNode::Kind::scalar && member.value->text.find('(') != std::string::npos) {
        member.value = copy(*member.value, index);
      }
    }
    return &server;
  }

  /// Ranges may name a server twice, which no parser has seen.
  std::vector<Entry> unique(std::vector<Entry> entries) {
    std::unordered_map<std::string, Place> seen;
    std::vector<Entry> kept;
    for (auto& entry : entries) {
      const auto [first, is_new] = seen.emplace(entry.name, entry.place);
      if (is_new) {
        kept.push_back(std::move(entry));
      } else {
        diagnostics_.error(entry.place, fmt::format("duplicate server {}; the first is on line {}",
                                                    in_quotes(entry.name), first->second.line));
      }
    }
    return kept;
  }

  Document& document_;
  Diagnostics& diagnostics_;
  std::uint32_t count_ = 0;
  std::unordered_set<const YamlNode*> done_;  ///< a map that several aliases share is written out once
};

}  // namespace

void expand_ranges(YamlNode& root, Document& document, Diagnostics& diagnostics) {
  const Entry* services = root.find("services");
  if (services == nullptr) return;
  Expander expander(document, diagnostics);
  for (const auto& service : services->value->entries) {
    for (const auto* key : {"servers", "fallback"}) {
      if (const Entry* servers = service.value->find(key)) expander.expand(*servers->value);
    }
  }
}

}  // namespace config
