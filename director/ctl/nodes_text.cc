#include "director/ctl/nodes_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "director/ctl/text_table.h"

namespace director {

std::string nodes_text(const nlohmann::json& answer) {
  std::string text;
  for (const auto& node : list(answer, "nodes")) {
    text += fmt::format("node {}: {}: {}", cell(node, "node"), cell(node, "agreement"), cell(node, "reason"));
    if (node.contains("heard_ms")) text += fmt::format("; heard {} ago", milliseconds(node, "heard_ms"));
    text += "\n";
  }
  return text;
}

}  // namespace director
