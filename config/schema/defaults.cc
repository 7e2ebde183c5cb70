#include "config/schema/defaults.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_set>

namespace config {
namespace {

using DefaultsByNoun = std::map<std::string, const YamlNode*>;

/// Whether `name` is given, or something that excludes it.
bool is_decided(const YamlNode& node, const std::string& name, const Shape& shape) {
  if (node.find(name) != nullptr) return true;
  return std::ranges::any_of(shape.alternatives, [&](const Alternatives& group) {
    const auto& names = group.names;
    return std::ranges::find(names, name) != names.end() &&
           std::ranges::any_of(names, [&](const std::string& other) { return node.find(other) != nullptr; });
  });
}

class Filler {
 public:
  explicit Filler(const DefaultsByNoun& defaults) : defaults_(defaults) {}

  /// Walks the tree along its shape. What defaults add is walked too: a check that a service has by default lacks the
  /// check's defaults like any other.
  void fill(YamlNode& node, const Shape& shape) {
    switch (shape.kind) {
      case Shape::Kind::list:
      case Shape::Kind::map:
        for (const auto& entry : node.entries) fill(*entry.value, shape.of.front());
        break;
      case Shape::Kind::object:
        fill_object(node, shape);
        break;
      default:
        break;
    }
  }

 private:
  void fill_object(YamlNode& node, const Shape& shape) {
    if (node.kind != YamlNode::Kind::map || !done_.insert(&node).second) return;
    if (const auto found = defaults_.find(shape.noun); found != defaults_.end() && found->second != &node) {
      std::vector<Entry> added;
      for (const auto& entry : found->second->entries) {
        // What no object has is an error in `defaults` itself.
        const bool known = std::ranges::find(shape.keys, entry.name, &KeyShape::name) != shape.keys.end();
        if (known && !is_decided(node, entry.name, shape)) added.push_back(entry);
      }
      node.entries.insert(node.entries.end(), added.begin(), added.end());
    }
    for (const auto& key : shape.keys) {
      if (const Entry* entry = node.find(key.name); entry != nullptr && key.name != "defaults") {
        fill(*entry->value, key.of[0]);
      }
    }
  }

  const DefaultsByNoun& defaults_;
  std::unordered_set<const YamlNode*> done_;  ///< a node that several aliases share is filled once
};

}  // namespace

void apply_defaults(YamlNode& root, const Shape& shape) {
  const Entry* defaults = root.find("defaults");
  if (defaults == nullptr || defaults->value->kind != YamlNode::Kind::map) return;
  DefaultsByNoun by_noun;
  for (const auto& entry : defaults->value->entries) {
    if (entry.value->kind == YamlNode::Kind::map) by_noun.emplace(entry.name, entry.value);
  }
  Filler(by_noun).fill(root, shape);
}

}  // namespace config
