#include "test/unit/config/schema.h"

#include <regex.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace schema {
namespace {

using config::Alternatives;
using config::Shape;

/// Whether `text` has a part that matches. POSIX's extended expressions read the patterns that the shapes have as
/// ECMAScript does, and std::regex does not compile with g++ 12's sanitizers.
bool matches(const std::string& text, const std::string& pattern) {
  regex_t compiled;
  if (regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) throw std::invalid_argument(pattern);
  const bool found = regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  regfree(&compiled);
  return found;
}

std::string definition_name(const Shape& shape) {
  auto name = shape.noun + (shape.partial ? " defaults" : "");
  std::ranges::replace(name, ' ', '_');
  return name;
}

Json required_one(const Alternatives& group) {
  Json choices = Json::array();
  for (const auto& name : group.names) choices.push_back({{"required", {name}}});
  if (!group.required) choices.push_back({{"not", {{"anyOf", choices}}}});
  return {{"oneOf", choices}};
}

class Maker {
 public:
  Json of(const Shape& shape) {
    switch (shape.kind) {
      case Shape::Kind::boolean:
        return {{"type", "boolean"}};
      case Shape::Kind::integer:
        return {{"type", "integer"}, {"minimum", shape.minimum}, {"maximum", shape.maximum}};
      case Shape::Kind::text:
        return {{"type", "string"}, {"pattern", shape.pattern}};
      case Shape::Kind::choice:
        return {{"enum", choices(shape)}};
      case Shape::Kind::list:
        return {{"type", "array"}, {"minItems", shape.minimum}, {"items", of(shape.of.front())}};
      case Shape::Kind::map:
        return {{"type", "object"},
                {"propertyNames", {{"pattern", shape.pattern}}},
                {"additionalProperties", of(shape.of.front())}};
      case Shape::Kind::object:
        return reference(shape);
      case Shape::Kind::any_of: {
        Json choices = Json::array();
        for (const auto& each : shape.of) choices.push_back(of(each));
        return {{"anyOf", choices}};
      }
    }
    return {};
  }

  Json object(const Shape& shape) {
    Json properties = Json::object();
    Json required = Json::array();
    Json groups = Json::array();
    for (const auto& key : shape.keys) {
      // Beside a $ref draft 7 ignores everything, so the description goes around it.
      Json property = {{"description", key.meaning + absent(key)}, {"allOf", Json::array({of(key.of[0])})}};
      properties[key.name] = std::move(property);
      if (key.required) required.push_back(key.name);
    }
    for (const auto& group : shape.alternatives) groups.push_back(required_one(group));
    const bool nothing_needed =
        required.empty() && std::ranges::none_of(shape.alternatives, [](const auto& group) { return group.required; });
    Json schema = {{"type", nothing_needed ? Json({"object", "null"}) : Json("object")},
                   {"properties", properties},
                   {"additionalProperties", false}};
    if (!required.empty()) schema["required"] = required;
    // A `null` has no keys to choose from.
    if (!groups.empty()) schema["allOf"] = groups;
    return schema;
  }

  Json definitions = Json::object();

 private:
  static std::string absent(const config::KeyShape& key) {
    return key.when_absent.empty() ? "" : " (default: " + key.when_absent + ")";
  }

  /// An editor takes a plain 1.2 for a number.
  static Json choices(const Shape& shape) {
    Json all = shape.choices;
    for (const auto& choice : shape.choices) {
      if (matches(choice, "^[0-9]+[.][0-9]+$")) all.push_back(std::stod(choice));
    }
    return all;
  }

  Json reference(const Shape& shape) {
    const auto name = definition_name(shape);
    if (!definitions.contains(name)) {
      definitions[name] = nullptr;  // keeps its place before those that it refers to
      definitions[name] = object(shape);
    }
    return {{"$ref", "#/definitions/" + name}};
  }
};

std::string words(const Json& value, const Json& schema, const Json& root, const std::string& at);

bool has_type(const Json& value, const Json& type) {
  if (type.is_array()) return std::ranges::any_of(type, [&](const Json& each) { return has_type(value, each); });
  const auto name = type.get<std::string>();
  if (name == "integer") return value.is_number_integer();
  return name == value.type_name();
}

std::size_t matching(const Json& value, const Json& choices, const Json& root) {
  return static_cast<std::size_t>(
      std::ranges::count_if(choices, [&](const Json& each) { return words(value, each, root, "").empty(); }));
}

std::string object_words(const Json& value, const Json& schema, const Json& root, const std::string& at) {
  std::string found;
  for (const auto& name : schema.value("required", Json::array())) {
    if (!value.contains(name.get<std::string>())) found += at + ": required\n";
  }
  const auto properties = schema.value("properties", Json::object());
  for (const auto& [name, member] : value.items()) {
    const auto path = at + "/" + name;
    if (schema.contains("propertyNames")) found += words(name, schema["propertyNames"], root, path);
    if (properties.contains(name)) {
      found += words(member, properties[name], root, path);
    } else if (schema.contains("additionalProperties")) {
      const auto& others = schema["additionalProperties"];
      found += others.is_boolean() ? path + ": additionalProperties\n" : words(member, others, root, path);
    }
  }
  return found;
}

std::string array_words(const Json& value, const Json& schema, const Json& root, const std::string& at) {
  std::string found;
  if (value.size() < schema.value("minItems", std::size_t{0})) found += at + ": minItems\n";
  if (!schema.contains("items")) return found;
  for (const auto& item : value) found += words(item, schema["items"], root, at + "/");
  return found;
}

std::string words(const Json& value, const Json& schema, const Json& root, const std::string& at) {
  std::string found;
  if (schema.contains("$ref")) {
    return words(value, root.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))), root, at);
  }
  if (schema.contains("type") && !has_type(value, schema["type"])) return at + ": type\n";
  if (schema.contains("enum") && std::ranges::find(schema["enum"], value) == schema["enum"].end()) {
    found += at + ": enum\n";
  }
  if (schema.contains("minimum") && value.is_number() && value < schema["minimum"]) found += at + ": minimum\n";
  if (schema.contains("maximum") && value.is_number() && value > schema["maximum"]) found += at + ": maximum\n";
  if (schema.contains("pattern") && value.is_string() &&
      !matches(value.get<std::string>(), schema["pattern"].get<std::string>())) {
    found += at + ": pattern\n";
  }
  for (const auto& each : schema.value("allOf", Json::array())) found += words(value, each, root, at);
  if (schema.contains("anyOf") && matching(value, schema["anyOf"], root) == 0) found += at + ": anyOf\n";
  if (schema.contains("oneOf") && matching(value, schema["oneOf"], root) != 1) found += at + ": oneOf\n";
  if (schema.contains("not") && words(value, schema["not"], root, at).empty()) found += at + ": not\n";
  if (value.is_object()) found += object_words(value, schema, root, at);
  if (value.is_array()) found += array_words(value, schema, root, at);
  return found;
}

}  // namespace

Json of(const Shape& file) {
  Maker maker;
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "A cluster file of directord"}};
  schema.update(maker.object(file));
  schema["definitions"] = std::move(maker.definitions);
  return schema;
}

Json value_of(const config::YamlNode& node) {
  using Kind = config::YamlNode::Kind;
  switch (node.kind) {
    case Kind::null:
      return nullptr;
    case Kind::scalar: {
      if (node.plain && matches(node.text, "^-?(0|[1-9][0-9]{0,17})$")) return std::stoll(node.text);
      if (node.plain && matches(node.text, "^-?[0-9]+[.][0-9]+$")) return std::stod(node.text);
      if (node.plain && (node.text == "true" || node.text == "false")) return node.text == "true";
      return node.text;
    }
    case Kind::sequence: {
      Json list = Json::array();
      for (const auto& entry : node.entries) list.push_back(value_of(*entry.value));
      return list;
    }
    case Kind::map: {
      Json map = Json::object();
      for (const auto& entry : node.entries) map[entry.name] = value_of(*entry.value);
      return map;
    }
  }
  return {};
}

std::string violations(const Json& value, const Json& schema, const Json& root, const std::string& at) {
  return words(value, schema, root, at);
}

}  // namespace schema
