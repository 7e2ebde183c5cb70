#pragma once

#include "config/cluster.h"
#include "config/schema/type.h"

namespace config {

/// In the map of by_node() while reading: the value of every node, since the nodes may follow later in the file.
inline constexpr auto every_node = "";

/// One value for every node, or a map of values by node, which `or_map` says.
template <class T>
Type<std::map<std::string, T>> by_node(Type<T> one, const std::string& or_map) {
  const Shape each = {
      .kind = Shape::Kind::map, .expected = "", .pattern = std::string(name_pattern), .of = {one.shape}};
  const Shape shape = {.kind = Shape::Kind::any_of, .expected = one.shape.expected + or_map, .of = {one.shape, each}};
  auto read = [expected = shape.expected, read_one = one.read](Reader& reader, const YamlNode& node,
                                                               std::map<std::string, T>& all) {
    if (node.kind == YamlNode::Kind::scalar) return read_one(reader, node, all[every_node]);
    if (node.kind != YamlNode::Kind::map) return reader.refuse(node, expected);
    for (const auto& entry : node.entries) read_one(reader, *entry.value, all[entry.name]);
  };
  return {.shape = shape, .read = read};
}

/// One name for every node, or a map with a name for each; `one` is the type of a name.
Type<std::map<std::string, std::string>> interfaces(Type<std::string> one);

/// An entry of `vrrp`.
Type<VirtualRouter> virtual_router_type();

}  // namespace config
