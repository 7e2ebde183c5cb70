#include "director/ctl/change_text.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "director/ctl/text_table.h"

namespace director {
namespace {

using nlohmann::json;

using Details = std::map<std::pair<std::string, std::string>, std::string>;  // by kind and name

/// ": weight 3 -> 5, upper_threshold none -> 100" for each thing that is changed.
Details details_of(const json& change) {
  Details details;
  for (const auto& detail : list(change, "changes")) {
    const auto name = cell(detail, "name"), what = cell(detail, "what");
    auto& text = details[{cell(detail, "kind"), name}];
    text += fmt::format("{} {}{} -> {}", text.empty() ? ":" : ",", what == name ? "" : what + " ", cell(detail, "from"),
                        cell(detail, "to"));
  }
  return details;
}

std::string names_text(const json& change, const char* member, const std::string& noun, Details& details) {
  std::string text;
  const auto names = change.find(member);
  if (names == change.end()) return text;
  const std::pair<const char*, char> marks[] = {{"added", '+'}, {"changed", '~'}, {"removed", '-'}};
  for (const auto& [which, mark] : marks) {
    for (const auto& name : list(*names, which)) {
      text += fmt::format("{} {} {}", mark, noun, word(name));
      for (const auto& leaving : list(change, "leaving")) {
        if (mark != '-' || leaving.value("server", json()) != name) continue;
        text +=
            fmt::format(" ({} active and {} inactive connections)", cell(leaving, "active"), cell(leaving, "inactive"));
      }
      if (mark == '~') text += details[{noun, word(name)}];
      text += "\n";
    }
  }
  return text;
}

}  // namespace

std::string change_text(const json& change) {
  Details details = details_of(change);
  std::string text;
  for (const auto& warning : list(change, "warnings")) text += lines(warning, "text");
  text += names_text(change, "services", "service", details);
  text += names_text(change, "servers", "server", details);
  text += names_text(change, "routers", "virtual router", details);
  for (const auto& section : list(change, "sections")) {
    const auto name = word(section);
    text += fmt::format("~ {}{}\n", name, details[{"section", name}]);
  }
  if (const auto probes = change.find("probes"); probes != change.end()) {
    text += fmt::format("probes: {} kept, {} added, {} removed\n", cell(*probes, "kept"), cell(*probes, "added"),
                        cell(*probes, "removed"));
  }
  return text + cell(change, "summary") + "\n";
}

std::string events_text(const json& events) {
  std::string text;
  for (const auto& event : list(events, "events")) {
    text += fmt::format("{}  {:<7}  {}: {}\n", cell(event, "at"), cell(event, "severity"), cell(event, "subject"),
                        cell(event, "text"));
  }
  return text;
}

}  // namespace director
