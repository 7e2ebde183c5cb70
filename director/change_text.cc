#include "director/change_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "director/text_table.h"

namespace director {
namespace {

using nlohmann::json;

std::string names_text(const json& change, const char* member, std::string_view noun) {
  std::string text;
  const auto names = change.find(member);
  if (names == change.end()) return text;
  const std::pair<const char*, char> marks[] = {{"added", '+'}, {"changed", '~'}, {"removed", '-'}};
  for (const auto& [which, mark] : marks) {
    for (const auto& name : list(*names, which)) {
      text += fmt::format("{} {} {}", mark, noun, name.is_string() ? name.get<std::string>() : name.dump());
      for (const auto& leaving : list(change, "leaving")) {
        if (mark != '-' || leaving.value("server", json()) != name) continue;
        text +=
            fmt::format(" ({} active and {} inactive connections)", cell(leaving, "active"), cell(leaving, "inactive"));
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace

std::string change_text(const json& change) {
  std::string text;
  for (const auto& warning : list(change, "warnings")) text += cell(warning, "text");
  text += names_text(change, "services", "service");
  text += names_text(change, "servers", "server");
  text += names_text(change, "routers", "virtual router");
  for (const auto& section : list(change, "sections"))
    text += fmt::format("~ {}\n", section.is_string() ? section.get<std::string>() : section.dump());
  if (const auto probes = change.find("probes"); probes != change.end()) {
    text += fmt::format("probes: {} kept, {} added, {} removed\n", cell(*probes, "kept"), cell(*probes, "added"),
                        cell(*probes, "removed"));
  }
  return text + cell(change, "summary") + "\n";
}

std::string events_text(const json& events) {
  std::string text;
  for (const auto& event : list(events, "events")) {
    text += fmt::format("{}  {}: {}\n", cell(event, "at"), cell(event, "subject"), cell(event, "text"));
  }
  return text;
}

}  // namespace director
