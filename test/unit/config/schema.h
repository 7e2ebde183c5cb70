#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/schema/shape.h"
#include "config/yaml/document.h"

/// docs/cluster.schema.json: made from the shape that the reader checks by, for editors to complete and check with.
namespace schema {

using Json = nlohmann::ordered_json;

/// JSON Schema, draft 7, of the cluster file.
[[nodiscard]] Json of(const config::Shape& file);

/// A YAML value as an editor sees it: plain whole numbers and true and false are not text.
[[nodiscard]] Json value_of(const config::YamlNode& node);

/// What of `value` does not follow `schema`, as paths with a word each; empty when it does. Knows the keywords that
/// of() uses, and `$ref` into `root`.
[[nodiscard]] std::string violations(const Json& value, const Json& schema, const Json& root,
                                     const std::string& at = "");

}  // namespace schema
