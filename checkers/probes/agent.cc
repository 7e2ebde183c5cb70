#include "checkers/probes/agent.h"

#include <fmt/format.h>

#include "checkers/probes/advice_line.h"
#include "checkers/text.h"

namespace checkers {

Result result_of_advice(std::string_view doing, std::string_view line) {
  const auto said = AdviceLine::parse(line);
  if (!said) return failed(doing, fmt::format("not an agent-check line: {}", quote(line)));
  auto result = said->passes ? passed(doing, said->reason) : failed(doing, said->reason);
  result.advice = said->advice;
  return result;
}

std::optional<Result> AgentConversation::begin(std::string& out) {
  out += spec_.send;
  return std::nullopt;
}

std::optional<Result> AgentConversation::receive(std::string_view bytes, std::string&) {
  const auto end = bytes.find('\n');
  line_ += bytes.substr(0, std::min(end, line_limit + 1));
  if (line_.size() > line_limit) return failed(doing(), fmt::format("line longer than {} bytes", line_limit));
  if (end == std::string_view::npos) return std::nullopt;
  return result_of_advice(doing(), line_);
}

std::optional<Result> AgentConversation::closed() {
  return line_.empty() ? failed(doing(), "closed without an answer") : result_of_advice(doing(), line_);
}

std::string AgentConversation::doing() const { return fmt::format("agent {}", to_string(target_)); }

}  // namespace checkers
