#include "test/unit/config/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/yaml/diagnostics.h"

namespace reference {
namespace {

using config::KeyShape;
using config::Shape;

std::string capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

/// GitHub's anchor of a heading.
std::string link(const Shape& shape) {
  auto anchor = shape.noun;
  std::ranges::replace(anchor, ' ', '-');
  return fmt::format("[{}](#{})", shape.noun, anchor);
}

std::string key_names(const Shape& shape) {
  std::vector<std::string> names;
  for (const auto& key : shape.keys) names.push_back(fmt::format("`{}`", key.name));
  return config::listed(names);
}

std::string type_of(const Shape& shape) {
  switch (shape.kind) {
    case Shape::Kind::object:
      return shape.partial ? fmt::format("{} of a {}", key_names(shape), link(shape)) : link(shape);
    case Shape::Kind::map:
      return fmt::format("NAME: {} for each", type_of(shape.of.front()));
    case Shape::Kind::list:
      if (shape.of.front().kind == Shape::Kind::object) return fmt::format("list of {}", type_of(shape.of.front()));
      return shape.expected;
    case Shape::Kind::choice:
      return fmt::format("`{}`", fmt::join(shape.choices, "`, `"));
    default:
      return shape.expected;
  }
}

std::string pattern_free(std::string text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string row(const KeyShape& key) {
  const auto absent = key.required ? "**required**" : key.when_absent.empty() ? "" : key.when_absent;
  return pattern_free(fmt::format("`{}`", key.name)) + " | " + pattern_free(capitalized(key.meaning)) + " | " +
         pattern_free(type_of(key.of[0])) + " | " + pattern_free(absent) + " | `" + pattern_free(key.example) + "`";
}

void describe(const Shape& shape, std::set<std::string>& done, std::string& text) {
  for (const auto& inner : shape.of) describe(inner, done, text);
  if (shape.kind != Shape::Kind::object || shape.partial || !done.insert(shape.noun).second) return;
  text += fmt::format("\n### {}\n\n", capitalized(shape.noun));
  for (const auto& group : shape.alternatives) {
    text +=
        fmt::format("{} of `{}` is given.\n\n", group.required ? "One" : "At most one", fmt::join(group.names, "`, `"));
  }
  if (shape.keys.empty()) {
    text += "No keys yet: `{}`, or nothing.\n";
  } else {
    text += "| key | meaning | value | default | example |\n|---|---|---|---|---|\n";
    for (const auto& key : shape.keys) text += "| " + row(key) + " |\n";
  }
  for (const auto& key : shape.keys) describe(key.of[0], done, text);
}

}  // namespace

std::string of(const Shape& file) {
  std::set<std::string> done;
  std::string text;
  describe(file, done, text);
  return text + "\n";
}

}  // namespace reference
