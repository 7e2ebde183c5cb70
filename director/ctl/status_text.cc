#include "director/ctl/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "director/ctl/nodes_text.h"
#include "director/ctl/text_table.h"

namespace director {
namespace {

using nlohmann::json;

std::string server_state(const json& server) {
  std::string state = cell(server, "health");
  if (server.value("drained", false)) state += ", " + (server.contains("order") ? cell(server, "order") : "drained");
  if (server.value("fallback", false)) state += ", fallback";
  return state;
}

/// "3/3"; "5/5 (operator; file 3)" where not the file decides.
std::string weights(const json& server) {
  std::string text = cell(server, "effective_weight") + "/" + cell(server, "weight");
  return server.contains("weight_order") ? fmt::format("{} (operator; file {})", text, cell(server, "file_weight"))
                                         : text;
}

/// "3 of 4 up", fallbacks not counted; where others take new connections than those that are up, how many do.
std::string up(const json& service) {
  std::size_t all = 0, up = 0, taking = 0;
  for (const auto& server : list(service, "servers")) {
    if (server.value("fallback", false)) continue;
    ++all;
    up += server.value("health", "") == "up" ? 1 : 0;
    taking += server.value("effective_weight", 0) > 0 ? 1 : 0;
  }
  if (up == taking) return fmt::format("{} of {} up", up, all);
  return fmt::format("{} of {} taking connections, {} up", taking, all, up);
}

std::string quorum(const json& service) {
  if (service.value("panicking", 0) > 0) return "panic";
  if (service.value("fallback_serves", false)) return "fallback in use";
  return service.value("quorum", true) ? "ok" : "lost";
}

std::int64_t sum(const json& service, const char* member) {
  std::int64_t total = 0;
  for (const auto& server : list(service, "servers")) total += server.value(member, std::int64_t{0});
  return total;
}

std::string service_text(const json& service) {
  std::string text = fmt::format("\nservice {}: {}, {}, {}\n", cell(service, "name"), cell(service, "key"),
                                 cell(service, "scheduler"), cell(service, "forward"));
  if (!service.value("quorum", true)) text += fmt::format("quorum {}: {}\n", quorum(service), up(service));
  std::vector<Row> rows{{"server", "address", "state", "weight", "active", "inactive", "reason"}};
  for (const auto& server : list(service, "servers")) {
    rows.push_back({cell(server, "name"), cell(server, "address"), server_state(server), weights(server),
                    cell(server, "active"), cell(server, "inactive"), cell(server, "reason")});
  }
  return text + table(rows);
}

/// With the times of `conditions`, which tell more of the same.
std::string problems_text(const json& status) {
  std::string text;
  for (const auto& problem : list(status, "problems")) {
    const auto reason = word(problem);
    text += "problem: " + reason;
    const auto& conditions = list(status, "conditions");
    const auto known = std::ranges::find_if(conditions, [&](const json& it) { return cell(it, "reason") == reason; });
    if (known != conditions.end()) text += "; since " + time_cell(*known, "since");
    text += "\n";
  }
  return text;
}

/// The units that follow the roles, where there are any.
std::string resources_text(const json& status) {
  std::vector<Row> rows{{"resource", "of", "state", "since", "reason"}};
  for (const auto& router : list(status, "vrrp")) {
    for (const auto& resource : list(router, "resources")) {
      rows.push_back({cell(resource, "unit"), cell(router, "name"), cell(resource, "state"),
                      time_cell(resource, "since"), cell(resource, "reason")});
    }
  }
  return rows.size() == 1 ? "" : "\n" + table(rows);
}

}  // namespace

std::string status_text(const json& status) {
  std::string text = fmt::format("cluster {}, node {}, directord {}\n", cell(status, "cluster"), cell(status, "node"),
                                 cell(status, "version"));
  text += problems_text(status);
  text += nodes_text(status);
  if (!list(status, "vrrp").empty()) {
    std::vector<Row> rows{{"vrrp", "state", "since", "priority", "interface", "addresses", "reason"}};
    for (const auto& router : list(status, "vrrp")) {
      rows.push_back({cell(router, "name"), role(router), time_cell(router, "since"), cell(router, "priority"),
                      cell(router, "interface"), cell(router, "addresses"), cell(router, "reason")});
    }
    text += "\n" + table(rows) + resources_text(status);
  }
  for (const auto& service : list(status, "services")) text += service_text(service);
  if (!list(status, "departures").empty()) {
    std::vector<Row> rows{{"removed, draining", "of", "active", "inactive", "until"}};
    for (const auto& departure : list(status, "departures")) {
      rows.push_back({cell(departure, "destination"), cell(departure, "service"), cell(departure, "active"),
                      cell(departure, "inactive"), time_cell(departure, "deadline")});
    }
    text += "\n" + table(rows);
  }
  return text;
}

std::string services_text(const json& status) {
  std::vector<Row> rows{{"service", "address", "scheduler", "forward", "servers", "quorum", "active", "inactive"}};
  for (const auto& service : list(status, "services")) {
    rows.push_back({cell(service, "name"), cell(service, "key"), cell(service, "scheduler"), cell(service, "forward"),
                    up(service), quorum(service), fmt::format("{}", sum(service, "active")),
                    fmt::format("{}", sum(service, "inactive"))});
  }
  return table(rows);
}

std::string servers_text(const json& status) {
  std::vector<Row> rows{{"server", "address", "state", "weight", "active", "inactive", "reason"}};
  for (const auto& service : list(status, "services")) {
    for (const auto& server : list(service, "servers")) {
      rows.push_back({cell(service, "name") + "/" + cell(server, "name"), cell(server, "address"), server_state(server),
                      weights(server), cell(server, "active"), cell(server, "inactive"), cell(server, "reason")});
    }
  }
  return table(rows);
}

}  // namespace director
