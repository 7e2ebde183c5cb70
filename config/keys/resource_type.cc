#include "config/keys/resource_type.h"

#include <algorithm>
#include <array>

#include "config/schema/values.h"

namespace config {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::string_view, 5> suffixes = {".service", ".mount", ".target", ".socket", ".timer"};
constexpr std::size_t longest_name = 255;

/// As systemd.unit(5) has it: a template's name, which ends in @, is not a unit.
std::expected<std::string, std::string> unit_name(std::string_view text) {
  const auto suffix = std::ranges::find_if(suffixes, [&](std::string_view each) { return text.ends_with(each); });
  if (suffix == suffixes.end())
    return std::unexpected(text.contains('.') ? "" : fmt::format("; did you mean '{}.service'?", text));
  const auto stem = text.substr(0, text.size() - suffix->size());
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view(":-_.\\@").contains(c);
  };
  if (stem.ends_with('@')) return std::unexpected("; a template needs an instance between @ and the suffix");
  if (stem.empty() || stem.starts_with('@') || text.size() > longest_name || !std::ranges::all_of(stem, allowed))
    return std::unexpected("");
  return std::string(text);
}

Type<std::string> unit() {
  return scalar<std::string>(
      {.expected = "the name of a systemd unit that ends in .service, .mount, .target, .socket or .timer",
       .pattern = R"(^[a-zA-Z0-9:_.\\-]+(@[a-zA-Z0-9:_.\\@-]+)?\.(service|mount|target|socket|timer)$)"},
      unit_name);
}

Type<Resource> resource_object() {
  return Object<Resource>("resource")
      .key("unit", &Resource::unit, unit(), "systemd unit", "apache2.service")
      .required()
      .key("start_limit", &Resource::start_limit, duration<std::chrono::milliseconds>(1s, 10min),
           "maximum time of a start: after it the start has failed", "10s")
      .key("stop_limit", &Resource::stop_limit, duration<std::chrono::milliseconds>(1s, 10min),
           "maximum time of a stop: for so long the node keeps the role at a handover, and a new master waits for the "
           "units of one that went silent",
           "10s")
      .key(
          "restarts", &Resource::restarts, integer<std::uint8_t>(0, 100),
          "restarts after failures of the unit, before the node gives up the role; counted anew when the unit has been "
          "active for 10 minutes",
          "1")
      .type();
}

}  // namespace

Type<Resource> resource() {
  auto plain = unit();
  auto object = resource_object();
  const Shape shape = {
      .kind = Shape::Kind::any_of, .expected = plain.shape.expected + ", or a map", .of = {plain.shape, object.shape}};
  auto read = [plain = plain.read, object = object.read](Reader& reader, const YamlNode& node, Resource& value) {
    if (node.kind == YamlNode::Kind::map) return object(reader, node, value);
    plain(reader, node, value.unit);
  };
  return {.shape = shape, .read = read};
}

}  // namespace config
