#include "director/ctl/nodes_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "director/ctl/text_table.h"

namespace director {
namespace {

/// What a node says of itself: "ready; front backup; 3 of 4 servers in service; down: web/web1 (...); 1 problem: ...".
std::string report_text(const nlohmann::json& report) {
  auto text = report.value("ready", false) ? std::string("ready") : "not ready: " + cell(report, "reason");
  std::string roles;
  const auto routers = report.value("routers", nlohmann::json::object());
  for (const auto& [name, role] : routers.items())
    roles += fmt::format("{}{} {}", roles.empty() ? "; " : ", ", word(name), word(role));
  text += fmt::format("{}; {} of {} servers in service", roles, cell(report, "in_service"), cell(report, "servers"));
  std::string down;
  for (const auto& server : list(report, "down"))
    down += fmt::format("{}{} ({})", down.empty() ? "; down: " : ", ", cell(server, "server"), cell(server, "reason"));
  text += down;
  const auto count = report.value("problem_count", 0);
  if (count > 0) text += fmt::format("; {} problem{}: {}", count, count == 1 ? "" : "s", cell(report, "problems"));
  return text;
}

}  // namespace

std::string nodes_text(const nlohmann::json& answer) {
  std::string text;
  for (const auto& node : list(answer, "nodes")) {
    text += fmt::format("node {}: {}: {}", cell(node, "node"), cell(node, "agreement"), cell(node, "reason"));
    if (node.contains("heard_ms")) text += fmt::format("; heard {} ago", milliseconds(node, "heard_ms"));
    text += "\n";
    if (node.contains("report")) text += "  " + report_text(node["report"]) + "\n";
  }
  return text;
}

}  // namespace director
