#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/schema/type.h"

namespace config {

/// One item, or a list of them: `of_what` completes "a list of ...", `or_many` the whole expectation.
template <class T>
Type<std::vector<T>> scalar_or_list(Type<T> one, std::string of_what, const std::string& or_many) {
  auto many = list(one, std::move(of_what));
  const Shape shape = {
      .kind = Shape::Kind::any_of, .expected = one.shape.expected + or_many, .of = {one.shape, many.shape}};
  auto read = [one = one.read, many = many.read, expected = shape.expected](Reader& reader, const YamlNode& node,
                                                                            std::vector<T>& all) {
    if (node.kind == YamlNode::Kind::sequence) return many(reader, node, all);
    if (node.kind != YamlNode::Kind::scalar) return reader.refuse(node, expected);
    one(reader, node, all.emplace_back());
  };
  return {.shape = shape, .read = read};
}

}  // namespace config
