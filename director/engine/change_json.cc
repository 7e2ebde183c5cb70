#include "director/engine/change_json.h"

#include <nlohmann/json.hpp>

namespace director {

using nlohmann::ordered_json;

namespace {

ordered_json to_json(const Change::Names& names) {
  return {{"added", names.added}, {"changed", names.changed}, {"removed", names.removed}};
}

ordered_json to_json(const std::vector<Change::Detail>& details) {
  ordered_json list = ordered_json::array();
  for (const auto& [kind, name, difference] : details) {
    list.push_back({{"kind", kind},
                    {"name", name},
                    {"what", difference.what.empty() ? name : difference.what},
                    {"from", difference.from},
                    {"to", difference.to}});
  }
  return list;
}

}  // namespace

ordered_json to_json(const std::vector<config::Diagnostic>& found) {
  ordered_json list = ordered_json::array();
  for (const auto& diagnostic : found) {
    list.push_back({{"file", diagnostic.file},
                    {"line", diagnostic.line},
                    {"column", diagnostic.column},
                    {"text", config::to_string(std::vector{diagnostic})}});
  }
  return list;
}

ordered_json leaving_json(const std::string& server, const ipvs::DestinationStatus* held) {
  return {{"server", server},
          {"active", held == nullptr ? 0 : held->active},
          {"inactive", held == nullptr ? 0 : held->inactive}};
}

ordered_json to_json(const Change& change, ordered_json leaving, const std::vector<config::Diagnostic>& warnings) {
  return {
      {"summary", to_string(change)},
      {"services", to_json(change.services)},
      {"servers", to_json(change.servers)},
      {"routers", to_json(change.routers)},
      {"sections", change.sections},
      {"changes", to_json(change.details)},
      {"probes", {{"kept", change.probes.kept}, {"added", change.probes.added}, {"removed", change.probes.removed}}},
      {"leaving", std::move(leaving)},
      {"warnings", to_json(warnings)}};
}

}  // namespace director
