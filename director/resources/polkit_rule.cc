#include "director/resources/polkit_rule.h"

#include <fmt/format.h>

namespace director {
namespace {

/// As a string of JavaScript: a unit's name may have a backslash, and neither quotes nor control characters.
std::string quoted(const std::string& unit) {
  std::string text = "\"";
  for (const char c : unit) {
    if (c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

}  // namespace

std::string polkit_rule(const config::Cluster& cluster) {
  std::string units;
  for (const auto& router : cluster.virtual_routers) {
    for (const auto& resource : router.resources) {
      units += fmt::format("{}\n    {}", units.empty() ? "" : ",", quoted(resource.unit));
    }
  }
  if (units.empty()) return "";
  return fmt::format(
      "// Cluster {}: lets directord start and stop the units under 'resources' in its cluster file.\n"
      "// Written by `directorctl polkit`; write it anew when these units change.\n"
      "polkit.addRule(function (action, subject) {{\n"
      "  var units = [{}\n"
      "  ];\n"
      "  if (action.id === \"org.freedesktop.systemd1.manage-units\" && subject.user === \"directord\" &&\n"
      "      (action.lookup(\"verb\") === \"start\" || action.lookup(\"verb\") === \"stop\") &&\n"
      "      units.indexOf(action.lookup(\"unit\")) >= 0) {{\n"
      "    return polkit.Result.YES;\n"
      "  }}\n"
      "  return polkit.Result.NOT_HANDLED;\n"
      "}});\n",
      cluster.name, units);
}

}  // namespace director
