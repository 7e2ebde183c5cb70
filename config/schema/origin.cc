#include "config/schema/origin.h"

#include <fmt/format.h>

#include <charconv>

namespace config {
namespace {

constexpr std::size_t large = 32;  // entries from which an index is worth its memory

}  // namespace

const Entry* Origin::step(const YamlNode& node, std::string_view name) const {
  if (node.kind == YamlNode::Kind::sequence) {
    std::size_t index = 0;
    std::from_chars(name.data(), name.data() + name.size(), index);
    return index < node.entries.size() ? &node.entries[index] : nullptr;
  }
  if (node.entries.size() < large) return node.find(name);
  const auto [index, is_new] = indices_.try_emplace(&node);
  if (is_new) {
    for (const auto& entry : node.entries) index->second.emplace(entry.name, &entry);
  }
  const auto found = index->second.find(name);
  return found == index->second.end() ? nullptr : found->second;
}

Origin::Found Origin::find(const Path& path) const {
  Found found = {.node = &root_, .entry = nullptr, .missing = path.size()};
  for (const auto& name : path) {
    const Entry* entry = step(*found.node, name);
    if (entry == nullptr) break;
    found = {.node = entry->value, .entry = entry, .missing = found.missing - 1};
  }
  return found;
}

Place Origin::place(const Path& path) const {
  const auto found = find(path);
  const bool single = found.node->kind == YamlNode::Kind::scalar;
  return found.entry == nullptr || single ? found.node->place : found.entry->place;
}

Place Origin::name_place(const Path& path) const {
  const auto found = find(path);
  return found.entry == nullptr ? found.node->place : found.entry->place;
}

bool Origin::valid(const Path& path) const { return !reader_.failed(*find(path).node); }

std::string Origin::line(const Path& path, Place beside) const {
  const auto at = place(path);
  if (at.source == beside.source) return fmt::format("line {}", at.line);
  return fmt::format("{}:{}", sources_[at.source].name, at.line);
}

}  // namespace config
