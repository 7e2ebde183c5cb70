#include "director/doctor/doctor_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "net/utf8.h"

namespace director {
namespace {

using Severity = Finding::Severity;

constexpr std::string_view colour_of(Severity severity) {
  constexpr std::string_view red = "\x1b[31m", yellow = "\x1b[33m", cyan = "\x1b[36m";
  return severity == Severity::error ? red : severity == Severity::warning ? yellow : cyan;
}

auto count(const std::vector<Finding>& findings, Severity severity) {
  return std::ranges::count(findings, severity, &Finding::severity);
}

}  // namespace

std::string findings_text(const std::vector<Finding>& findings, bool coloured) {
  std::string text;
  for (const auto& [severity, subject, what, remedy] : findings) {
    text +=
        fmt::format("{}{}{}: {}: {}; to do: {}\n", coloured ? colour_of(severity) : "", to_string(severity),
                    coloured ? "\x1b[0m" : "", net::printable(subject), net::printable(what), net::printable(remedy));
  }
  if (findings.empty()) return "no problems found\n";
  return text + fmt::format("errors: {}, warnings: {}, notes: {}\n", count(findings, Severity::error),
                            count(findings, Severity::warning), count(findings, Severity::note));
}

nlohmann::ordered_json to_json(const std::vector<Finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [severity, subject, what, remedy] : findings) {
    list.push_back({{"severity", to_string(severity)}, {"subject", subject}, {"text", what}, {"remedy", remedy}});
  }
  return {{"findings", std::move(list)},
          {"errors", count(findings, Severity::error)},
          {"warnings", count(findings, Severity::warning)},
          {"notes", count(findings, Severity::note)}};
}

bool has_errors(const std::vector<Finding>& findings) { return count(findings, Severity::error) != 0; }

}  // namespace director
