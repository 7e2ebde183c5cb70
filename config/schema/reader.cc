#include "config/schema/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "config/schema/hints.h"
#include "config/schema/other_tools.h"

namespace config {
namespace {

constexpr std::size_t max_visited = 8'000'000;  // three times what the largest cluster takes

std::vector<std::string> names_of(const std::vector<KeyShape>& keys) {
  std::vector<std::string> names;
  for (const auto& key : keys) names.push_back(key.name);
  return names;
}

std::string called(const Reader::Subject& subject) {
  if (subject.noun.empty()) return in_quotes(subject.name);
  return subject.name.empty() ? std::string(subject.noun) : fmt::format("{} {}", subject.noun, in_quotes(subject.name));
}

}  // namespace

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 63 && is_letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_letter(c) || c == '.' || c == '-'; });
}

std::string described(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return node.plain ? in_quotes(node.text) : fmt::format("the quoted text {}", in_quotes(node.text));
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  std::unreachable();
}

/// "check of service 'web'"; the outermost object is the file and is named only when nothing else is.
std::string Reader::context() const {
  if (chain_.size() <= 1) return chain_.empty() ? "" : std::string(chain_.front().noun);
  std::string text;
  for (const auto& object : chain_ | std::views::drop(1) | std::views::reverse) {
    text += (text.empty() ? "" : " of ") + called(object);
  }
  return text;
}

std::string Reader::subject_in_context() const {
  if (chain_.empty()) return "the cluster file";
  return chain_.size() == 1 ? called(subject) : fmt::format("{} in {}", called(subject), context());
}

void Reader::visit(const YamlNode& node) {
  constexpr std::size_t object = 8, bytes = 32;  // what an object takes, and how much text one unit is
  diagnostics_.go_on();
  visited_ += (node.kind == YamlNode::Kind::scalar ? 1 : object) + node.text.size() / bytes + node.entries.size();
  if (visited_ > max_visited)
    diagnostics_.end(node.place, "aliases and defaults up to here give too many values; expected a smaller file");
}

void Reader::fail(const YamlNode& node, std::string message) {
  failed_.insert(&node);
  diagnostics_.error(node.place, std::move(message));
}

void Reader::refuse(const YamlNode& node, std::string_view expected, std::string_view hint) {
  const auto what = subject_in_context();
  fail(node, fmt::format("{}{}expected {}, found {}{}", what, what.empty() ? "" : ": ", expected, described(node),
                         hint.empty() ? meant_as_address(node) : std::string(hint)));
}

void Reader::warn(const YamlNode& node, std::string_view message) {
  diagnostics_.warning(node.place, fmt::format("{}: {}", subject_in_context(), message));
}

void Reader::refuse_short(const YamlNode& node, std::string_view expected) {
  const auto size = node.entries.size();
  fail(node, fmt::format("{}: expected {}, found {}", subject_in_context(), expected,
                         size == 0 ? "none" : fmt::format("only {}", size)));
}

void Reader::check_name(const Entry& entry) {
  if (is_name(entry.name)) return;
  diagnostics_.error(
      entry.place,
      fmt::format("{} has an invalid name: {}{}", subject_in_context(), name_rule,
                  entry.name.find('[') == std::string::npos ? "" : "; write a range in parentheses, such as (1-20)"));
}

std::vector<Reader::Member> Reader::match(const YamlNode& node, const Shape& shape) {
  std::vector<Member> members;
  std::vector<Given> given(shape.keys.size());
  for (const auto& entry : node.entries) {
    const auto key = std::ranges::find(shape.keys, entry.name, &KeyShape::name);
    if (key == shape.keys.end()) {
      unknown_key(node, entry, shape, given);
      continue;
    }
    const auto index = static_cast<std::size_t>(key - shape.keys.begin());
    given[index].entry = &entry;
    members.push_back({.key = index, .entry = &entry});
  }
  check_missing(node, shape, given);
  return members;
}

void Reader::unknown_key(const YamlNode& node, const Entry& entry, const Shape& shape, std::vector<Given>& given) {
  const auto known = names_of(shape.keys);
  const auto unparted = key_without_colon(entry.name, shape);
  const auto elsewhere = known_elsewhere(entry.name, shape.noun);
  const auto near = nearest(entry.name, known);
  const auto place = where_known(
      entry.name, shape, near.empty() ? std::span<const Shape* const>(around_) : std::span<const Shape* const>());
  const bool unheard_of = unparted.empty() && elsewhere.empty() && place.empty();
  const auto hint = !unparted.empty() ? fmt::format("; is the ':' or the space after {} missing?", in_quotes(unparted))
                    : !elsewhere.empty() ? "; " + elsewhere
                    : !place.empty()     ? place
                                         : suggestion(entry.name, known);
  failed_.insert(&node);
  diagnostics_.error(entry.place, fmt::format("unknown key {} in {}{}", in_quotes(entry.name), context(), hint));
  // What a misspelt key was to give is not missing as well; and where nothing is near, it may be any of them.
  const auto meant = unparted.empty() ? near : unparted;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const bool translated = elsewhere.find("'" + known[i]) != std::string::npos;
    const bool any = unheard_of && meant.empty();
    if (any || translated || (place.empty() && known[i] == meant)) given[i].misspelled = true;
  }
}

void Reader::check_missing(const YamlNode& node, const Shape& shape, const std::vector<Given>& given) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < shape.keys.size(); ++i) {
    if (shape.keys[i].required && given[i].entry == nullptr && !given[i].misspelled)
      missing.push_back(in_quotes(shape.keys[i].name));
  }
  for (const auto& group : shape.alternatives) {
    std::vector<const Entry*> chosen;
    std::vector<std::string> names;
    bool misspelled = false;
    for (const auto& name : group.names) {
      const auto key = std::ranges::find(shape.keys, name, &KeyShape::name);
      const auto& seen = given[static_cast<std::size_t>(key - shape.keys.begin())];
      if (seen.entry != nullptr) chosen.push_back(seen.entry);
      misspelled = misspelled || seen.misspelled;
      names.push_back(in_quotes(name));
    }
    if (chosen.empty() && group.required && !misspelled) missing.push_back(listed(names, "or"));
    if (chosen.size() < 2) continue;
    std::ranges::sort(chosen, {}, &Entry::place);
    failed_.insert(&node);
    diagnostics_.error(chosen[1]->place, fmt::format("{} in {} conflicts with {} on line {}; expected only one of them",
                                                     in_quotes(chosen[1]->name), context(), in_quotes(chosen[0]->name),
                                                     chosen[0]->place.line));
  }
  if (missing.empty()) return;
  failed_.insert(&node);
  diagnostics_.error(chain_.back().place,
                     fmt::format("missing key{} {} in {}", missing.size() > 1 ? "s" : "", listed(missing), context()));
}

}  // namespace config
