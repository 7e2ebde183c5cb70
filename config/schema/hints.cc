#include "config/schema/hints.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <ranges>

#include "config/schema/other_tools.h"
#include "config/yaml/diagnostics.h"
#include "net/address.h"

namespace config {
namespace {

constexpr std::size_t max_meant = 100;  // longer text was not meant as one value

bool knows(const Shape& object, std::string_view name) {
  return std::ranges::find(object.keys, name, &KeyShape::name) != object.keys.end();
}

/// The keys of `object` in whose values `name` is known: of several that take the same kind of object, the first.
std::vector<std::string> homes_of(std::string_view name, const Shape& object) {
  std::vector<std::string> homes, nouns;
  for (const auto& key : object.keys) {
    const Shape* inner = key.of.data();
    while (inner->kind == Shape::Kind::list) inner = &inner->of.front();
    if (!knows(*inner, name) || std::ranges::find(nouns, inner->noun) != nouns.end()) continue;
    homes.push_back(in_quotes(key.name));
    nouns.push_back(inner->noun);
  }
  return homes;
}

/// Whether a value of this shape could be written so.
bool fits(const Shape& shape, const std::string& text) {
  if (shape.kind != Shape::Kind::text && shape.kind != Shape::Kind::integer) return false;
  const std::string pattern = shape.kind == Shape::Kind::integer ? "^[0-9]+$" : shape.pattern;
  return !pattern.empty() && RE2::PartialMatch(text, pattern);
}

}  // namespace

std::string where_known(std::string_view name, const Shape& inner, std::span<const Shape* const> outer) {
  if (const auto homes = homes_of(name, inner); !homes.empty()) {
    return homes.size() == 1 ? fmt::format("; it belongs inside {}", homes.front())
                             : fmt::format("; {} is a key of {}", in_quotes(name), listed(homes));
  }
  for (const Shape* object : outer | std::views::reverse) {
    if (!knows(*object, name)) continue;
    return object == outer.front() ? "; it is a top-level key of the cluster file"
                                   : fmt::format("; it is a key of the enclosing {}", object->noun);
  }
  return {};
}

std::string_view key_without_colon(std::string_view name, const Shape& object) {
  const auto end = name.find_first_of(" :");
  return end != std::string_view::npos && knows(object, name.substr(0, end)) ? name.substr(0, end) : "";
}

std::string meant_as_map(const YamlNode& node, const Shape& object) {
  const bool is_word = std::ranges::all_of(node.text, [](char c) { return c > ' ' && c <= '~'; });
  if (node.kind != YamlNode::Kind::scalar || node.text.empty() || node.text.size() > max_meant || !is_word) return {};
  const auto key = std::ranges::find(object.keys, node.text, &KeyShape::name);
  if (key != object.keys.end() && key->of.front().kind == Shape::Kind::object) {
    return fmt::format("; did you mean {{ {}: {{}} }}?", node.text);
  }
  std::vector<std::string> names;
  for (const auto& each : object.keys) names.push_back(each.name);
  if (const auto known = known_elsewhere(node.text, names); !known.empty()) return "; " + known;
  if (object.keys.empty() || !fits(object.keys.front().of.front(), node.text)) return {};
  const bool more = std::ranges::any_of(object.keys | std::views::drop(1), &KeyShape::required);
  return fmt::format("; did you mean {{ {}: {}{} }}?", object.keys.front().name, node.text, more ? ", ..." : "");
}

std::string meant_as_address(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::sequence || node.entries.size() != 1) return {};
  const auto& item = *node.entries.front().value;
  const auto parsed = net::Address::parse(item.text);
  if (item.kind != YamlNode::Kind::scalar || !parsed || !parsed->is_v6()) return {};
  return fmt::format("; an IPv6 address in brackets needs quotes: \"[{}]\"", item.text);
}

}  // namespace config
