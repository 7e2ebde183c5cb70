#include "director/ctl/answer_text.h"

#include <nlohmann/json.hpp>

#include "director/ctl/text_table.h"

namespace director {

std::string answer_text(const nlohmann::json& answer) {
  auto text = cell(answer, "message") + "\n";
  if (!answer.value("held", "").empty()) text += cell(answer, "held") + "\n";
  if (!answer.value("warning", "").empty()) text += "warning: " + cell(answer, "warning") + "\n";
  return text;
}

}  // namespace director
