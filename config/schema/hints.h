#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/schema/shape.h"
#include "config/yaml/document.h"

/// What was probably meant by what a cluster file cannot say; each "; ..." to end a message with, or empty.
namespace config {

/// Where `name`, which the object `inner` does not know, is known: in its own keys' values, or in one of the objects
/// around it, `outer`, the outermost first.
[[nodiscard]] std::string where_known(std::string_view name, const Shape& inner, std::span<const Shape* const> outer);

/// The key of `object` that `name` begins with, where a ':' or the space after it is missing: `forward nat` was meant
/// as `forward: nat`. Empty: none.
[[nodiscard]] std::string_view key_without_colon(std::string_view name, const Shape& object);

/// For text in the place of an object: `http: /health` was meant as `http: { path: /health }`.
[[nodiscard]] std::string meant_as_map(const YamlNode& node, const Shape& object);

/// For a list that YAML made of an IPv6 address in brackets.
[[nodiscard]] std::string meant_as_address(const YamlNode& node);

}  // namespace config
