#include "director/ctl/vrrp_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "director/ctl/nodes_text.h"
#include "director/ctl/text_table.h"

namespace director {
namespace {

using nlohmann::json;

std::string causes(const json& adverts) {
  std::string text;
  if (!adverts.is_object()) return text;
  const json refused = adverts.value("refused", json::object());  // items() keeps nothing of what it walks over
  for (const auto& [cause, count] : refused.items()) {
    text += fmt::format(", {} {}", word(count), word(cause));
  }
  return text.empty() ? "" : "; refused" + text.substr(1);
}

std::string router_text(const json& router) {
  std::string text = fmt::format("\n{}: {} since {}: {}\n", cell(router, "name"), role(router),
                                 time_cell(router, "since"), cell(router, "reason"));
  for (const char* name : {"problem", "waits"}) {
    if (!router.value(name, "").empty()) text += fmt::format("  {}: {}\n", name, cell(router, name));
  }
  text += fmt::format("  router_id {}, priority {}, adverts every {} from {} on {}\n", cell(router, "router_id"),
                      cell(router, "priority"), milliseconds(router, "advertise_ms"), cell(router, "source"),
                      cell(router, "interface"));
  text += fmt::format("  holds {} of {}; lease left {}; next timer in {}\n", cell(router, "held"),
                      cell(router, "addresses"), milliseconds(router, "lease_left_ms"),
                      milliseconds(router, "next_timer_ms"));
  if (router.contains("mac"))
    text += fmt::format("  virtual MAC {} on {}\n", cell(router, "mac"), cell(router, "holder"));
  for (const auto& route : list(router, "routes")) text += fmt::format("  route {}\n", word(route));
  for (const auto& tracker : list(router, "trackers")) {
    const auto lower = tracker.value("lower", 0);
    text += fmt::format("  tracker {}: {} since {}: {}; {}\n", cell(tracker, "name"), cell(tracker, "state"),
                        time_cell(tracker, "since"), cell(tracker, "reason"),
                        lower > 0 ? fmt::format("when down: priority lowered by {}", lower) : "when down: fault");
  }
  for (const auto& resource : list(router, "resources")) {
    text += fmt::format("  resource {}: {} since {}: {}\n", cell(resource, "unit"), cell(resource, "state"),
                        time_cell(resource, "since"), cell(resource, "reason"));
  }
  const auto adverts = router.value("adverts", json::object());
  text += fmt::format("  adverts: {} sent, {} failed, {} received, {} with other addresses, {} dropped{}\n",
                      cell(adverts, "sent"), cell(adverts, "send_errors"), cell(adverts, "received"),
                      cell(adverts, "other_address_list"), cell(adverts, "dropped"), causes(adverts));
  for (const auto& peer : list(router, "peers")) {
    const auto address = cell(peer, "address");
    const bool known = !peer.value("node", "").empty();
    text += fmt::format("  heard {} with priority {}, {} ago\n",
                        known ? fmt::format("{} ({})", cell(peer, "node"), address) : address, cell(peer, "priority"),
                        milliseconds(peer, "heard_ms"));
  }
  return text;
}

}  // namespace

std::string vrrp_text(const json& answer) {
  std::string text = fmt::format("node {}\n", cell(answer, "node")) + nodes_text(answer);
  if (list(answer, "vrrp").empty()) return text + "no virtual routers\n";
  for (const auto& router : list(answer, "vrrp")) text += router_text(router);
  return text;
}

std::string failover_text(const json& answer) {
  std::string text = "failover: name a virtual router\n";
  const auto& routers = list(answer, "vrrp");
  if (routers.empty()) return text + "there are no virtual routers here\n";
  std::vector<Row> rows{{"router", "on this node", "directorctl failover ROUTER"}};
  for (const auto& router : routers) {
    const bool master = cell(router, "state") == "master";
    rows.push_back({cell(router, "name"), role(router),
                    master ? "moves the role, and its group's, to the next node by priority"
                           : "is refused: not master here; run it on the master"});
  }
  return text + table(rows);
}

}  // namespace director
