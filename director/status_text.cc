#include "director/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "net/time.h"

namespace director {
namespace {

using nlohmann::json;
using Row = std::vector<std::string>;

/// Columns as wide as their widest cell, two spaces apart; the last one ragged.
std::string table(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) text += fmt::format("{:<{}}  ", row[i], widths[i]);
    text += row.back() + "\n";
  }
  return text;
}

/// A member as text: strings as they are, lists joined by commas, anything else as JSON; "-" where it is missing.
std::string cell(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "-";
  if (found->is_string()) return found->get<std::string>();
  if (!found->is_array()) return found->dump();
  std::string text;
  for (const auto& item : *found) {
    if (!text.empty()) text += ", ";
    text += item.is_string() ? item.get<std::string>() : item.dump();
  }
  return text.empty() ? "-" : text;
}

const json& list(const json& object, const char* name) {
  static const json none = json::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : none;
}

std::string age(const json& object) {
  const auto seconds = object.find("since_seconds");
  if (seconds == object.end() || !seconds->is_number()) return "-";
  const auto whole = std::chrono::seconds(seconds->get<std::int64_t>());
  if (whole < std::chrono::minutes(2)) return net::to_string(whole);
  if (whole < std::chrono::hours(2)) return net::to_string(std::chrono::floor<std::chrono::minutes>(whole));
  return net::to_string(std::chrono::floor<std::chrono::hours>(whole));
}

std::string server_state(const json& server) {
  if (server.value("drained", false)) return cell(server, "health") + ", drained";
  return cell(server, "health");
}

std::string service_text(const json& service) {
  std::string text = fmt::format("\nservice {}: {}, {}, {}\n", cell(service, "name"), cell(service, "key"),
                                 cell(service, "scheduler"), cell(service, "forward"));
  std::vector<Row> rows{{"server", "address", "state", "weight", "active", "inactive", "reason"}};
  for (const auto& server : list(service, "servers")) {
    rows.push_back({cell(server, "name"), cell(server, "address"), server_state(server),
                    cell(server, "effective_weight") + "/" + cell(server, "weight"), cell(server, "active"),
                    cell(server, "inactive"), cell(server, "reason")});
  }
  return text + table(rows);
}

}  // namespace

std::string status_text(const json& status) {
  std::string text = fmt::format("cluster {}, node {}, directord {}\n", cell(status, "cluster"), cell(status, "node"),
                                 cell(status, "version"));
  for (const auto& problem : list(status, "problems")) {
    text += fmt::format("problem: {}\n", problem.is_string() ? problem.get<std::string>() : problem.dump());
  }
  if (!list(status, "vrrp").empty()) {
    std::vector<Row> rows{{"vrrp", "state", "for", "priority", "interface", "addresses", "reason"}};
    for (const auto& router : list(status, "vrrp")) {
      rows.push_back({cell(router, "name"), cell(router, "state"), age(router), cell(router, "priority"),
                      cell(router, "interface"), cell(router, "addresses"), cell(router, "reason")});
    }
    text += "\n" + table(rows);
  }
  for (const auto& service : list(status, "services")) text += service_text(service);
  return text;
}

}  // namespace director
