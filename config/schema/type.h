#pragma once

#include <algorithm>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/schema/hints.h"
#include "config/schema/reader.h"
#include "config/schema/shape.h"
#include "net/check.h"

/// Types of the cluster file's values: what each looks like, and how it becomes a C++ value. A key is declared once,
/// with its type, meaning and example, in the table of its object (read_*.cc); its default is the default of the
/// member it is read into.
namespace config {

template <class T>
struct Type {
  using Value = T;

  Shape shape;

  /// Reads `node` into `value`; after a refusal, which the reader then knows, `value` may be half read.
  std::function<void(Reader& reader, const YamlNode& node, T& value)> read;

  /// A value as the file would write it, for the reference; empty for one that the file would leave out.
  std::function<std::string(const T& value)> show = [](const T&) { return std::string(); };
};

/// Builds the type of a map with known keys, which is read into a T:
///     Object<Server>("server").key("address", ...).required().key("weight", ...).type()
template <class T>
class Object {
 public:
  explicit Object(std::string noun) {
    shape_.kind = Shape::Kind::object;
    shape_.expected = "a map of keys";
    shape_.noun = std::move(noun);
  }

  /// A key read into `member`, which is a pointer to a member of T or any callable T& -> V&.
  template <class V, class M>
  Object&& key(std::string name, M member, Type<V> type, std::string meaning, std::string example) && {
    T defaults{};
    shape_.keys.push_back({.name = std::move(name),
                           .meaning = std::move(meaning),
                           .example = std::move(example),
                           .when_absent = type.show(std::invoke(member, defaults)),
                           .of = {std::move(type.shape)}});
    readers_.push_back([member, read = std::move(type.read)](Reader& reader, const YamlNode& node, T& value) {
      read(reader, node, std::invoke(member, value));
    });
    return std::move(*this);
  }

  /// The last key must be there.
  Object&& required() && {
    shape_.keys.back().required = true;
    shape_.keys.back().when_absent.clear();
    return std::move(*this);
  }

  /// What holds without the last key, in words, where the member's default does not say it.
  Object&& when_absent(std::string words) && {
    shape_.keys.back().when_absent = std::move(words);
    return std::move(*this);
  }

  Object&& one_of(std::vector<std::string> names) && {
    shape_.alternatives.push_back({.names = std::move(names)});
    return std::move(*this);
  }

  Object&& at_most_one_of(std::vector<std::string> names) && {
    shape_.alternatives.push_back({.names = std::move(names), .required = false});
    return std::move(*this);
  }

  /// Takes keys away again.
  Object&& without(const std::vector<std::string>& names) && {
    for (const auto& name : names) {
      const auto key = std::ranges::find(shape_.keys, name, &KeyShape::name);
      net::check(key != shape_.keys.end(), "a key that is taken away has been declared");
      readers_.erase(readers_.begin() + (key - shape_.keys.begin()));
      shape_.keys.erase(key);
      std::erase_if(shape_.alternatives, [&](const Alternatives& group) {
        return std::ranges::find(group.names, name) != group.names.end();
      });
    }
    return std::move(*this);
  }

  /// The same keys, read into the part of an Outer that `part` returns: others can then be put beside them.
  template <class Outer, class Part>
  Object<Outer> in(Part part) && {
    Object<Outer> outer(shape_.noun);
    outer.shape_ = std::move(shape_);
    for (auto& read : readers_) {
      outer.readers_.push_back([part, read = std::move(read)](Reader& reader, const YamlNode& node, Outer& value) {
        read(reader, node, std::invoke(part, value));
      });
    }
    return outer;
  }

  /// Makes it the defaults of its noun: nothing is required, and what is absent is absent.
  Object&& partial() && {
    shape_.partial = true;
    for (auto& key : shape_.keys) key.required = false;
    for (auto& group : shape_.alternatives) group.required = false;
    return std::move(*this);
  }

  /// The finished type. An empty value stands for `{}`, so that `tcp:` needs no braces.
  Type<T> type() && {
    auto read = [shape = shape_, readers = std::move(readers_)](Reader& reader, const YamlNode& node, T& value) {
      if (node.kind != YamlNode::Kind::map && node.kind != YamlNode::Kind::null) {
        return reader.refuse(node, shape.expected, meant_as_map(node, shape));
      }
      const Reader::Scope scope(reader, shape);
      for (const auto& [index, entry] : reader.match(node, shape)) {
        reader.subject = {.noun = "", .name = entry->name, .place = entry->place};
        reader.visit(*entry->value);
        readers[index](reader, *entry->value, value);
      }
    };
    return {.shape = std::move(shape_), .read = std::move(read)};
  }

 private:
  template <class>
  friend class Object;

  Shape shape_;
  std::vector<std::function<void(Reader&, const YamlNode&, T&)>> readers_;
};

/// Text that `convert` understands: std::string_view -> std::expected<T, std::string>, whose error is a hint to end the
/// message with ("; is the port missing?"), or empty. A `plain` value must not be quoted.
template <class T, class Convert>
Type<T> scalar(Shape shape, Convert convert, bool plain = false) {
  auto read = [expected = shape.expected, convert, plain](Reader& reader, const YamlNode& node, T& value) {
    if (node.kind != YamlNode::Kind::scalar) return reader.refuse(node, expected);
    std::expected<T, std::string> converted = convert(std::string_view(node.text));
    if (!converted) return reader.refuse(node, expected, converted.error());
    if (plain && !node.plain) return reader.refuse(node, expected, "; write it without quotes");
    value = *std::move(converted);
  };
  return {.shape = std::move(shape), .read = std::move(read)};
}

/// A list of at least `minimum` items.
template <class T>
Type<std::vector<T>> list(Type<T> item, std::string of_what, std::int64_t minimum = 0) {
  Shape shape = {.kind = Shape::Kind::list, .expected = "a list of " + of_what, .minimum = minimum, .of = {item.shape}};
  auto read = [expected = shape.expected, minimum, read_item = std::move(item.read)](
                  Reader& reader, const YamlNode& node, std::vector<T>& values) {
    if (node.kind != YamlNode::Kind::sequence) return reader.refuse(node, expected);
    if (std::cmp_less(node.entries.size(), minimum)) return reader.refuse_short(node, expected);
    values.reserve(node.entries.size());
    for (const auto& entry : node.entries) {
      reader.subject.place = entry.place;
      reader.visit(*entry.value);
      read_item(reader, *entry.value, values.emplace_back());
    }
  };
  return {.shape = std::move(shape), .read = std::move(read)};
}

/// NAME: OBJECT for each of a list of objects, which keep the file's order; T has a `name`. `pattern` is what a name
/// looks like in the file, which may be more than a name (ranges.h).
template <class T>
Type<std::vector<T>> named(Type<T> item, std::string_view pattern = name_pattern) {
  Shape shape = {.kind = Shape::Kind::map,
                 .expected = "a map with a name for each " + item.shape.noun,
                 .pattern = std::string(pattern),
                 .of = {item.shape}};
  auto read = [expected = shape.expected, noun = item.shape.noun, read_item = std::move(item.read)](
                  Reader& reader, const YamlNode& node, std::vector<T>& values) {
    if (node.kind != YamlNode::Kind::map) return reader.refuse(node, expected);
    values.reserve(node.entries.size());
    for (const auto& entry : node.entries) {
      reader.subject = {.noun = noun, .name = entry.name, .place = entry.place};
      reader.visit(*entry.value);
      reader.check_name(entry);
      T& value = values.emplace_back();
      value.name = entry.name;
      read_item(reader, *entry.value, value);
    }
  };
  return {.shape = std::move(shape), .read = std::move(read)};
}

}  // namespace config
