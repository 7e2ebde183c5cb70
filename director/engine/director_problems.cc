// What is wrong now, from all parts of the director, and since when.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "director/engine/director.h"
#include "director/engine/vrrp_status.h"

namespace director {

std::vector<Problem> Director::problems() const {
  std::vector<Problem> all;
  for (const auto& why : true_paths_.problems()) all.push_back({EventKind::path_broken, "true path", why});
  for (const auto& [key, why] : complaints_) {
    const auto service = index_.find(key);
    all.push_back(
        {EventKind::table_refused,
         "service " + (service == index_.end() ? ipvs::to_string(key) : cluster_.services[service->second].name), why});
  }
  for (const auto& [setting, why] : settings_.problems())
    all.push_back({EventKind::setting_error, "kernel setting net.ipv4.vs." + setting, why});
  if (!file_complaint_.empty()) all.push_back({EventKind::reload_refused, "cluster file", file_complaint_});
  if (!sync_.problem().empty()) all.push_back({EventKind::sync_error, "connection sync", sync_.problem()});
  if (!store_.unsaved().empty()) all.push_back({EventKind::state_error, "state file", store_.unsaved()});
  if (!store_.damaged().empty()) all.push_back({EventKind::state_error, "directord", store_.damaged()});
  const auto names = peers_.names(cluster_);
  for (const auto& router : routers_.status()) {
    bool own = !router.problem.empty();  // the first one
    for (auto& sentence : vrrp_problems(router, names, loop_.now())) {
      all.push_back({std::exchange(own, false) ? EventKind::router_error : EventKind::router_advert,
                     "vrrp " + router.spec.name, std::move(sentence)});
    }
  }
  std::ranges::move(peers_.problems(), std::back_inserter(all));
  return all;
}

/// Soon, and once for all events of a turn.
void Director::look_at_problems() {
  if (problems_timer_ != 0) return;
  problems_timer_ = loop_.at(loop_.now(), [this] {
    problems_timer_ = 0;
    problems_.note(problems(), loop_.clock().wall());
  });
}

/// `problems`, the sentences alone, and `conditions`, the same with more to each.
void Director::put_problems(nlohmann::ordered_json& root, const net::Result<ipvs::Snapshot>& table) const {
  auto all = problems();
  if (!table) all.push_back({EventKind::table_refused, "ipvs", table.error().message});
  std::set<std::string> said;  // several services may be refused for the same reason
  auto sentences = nlohmann::ordered_json::array(), conditions = nlohmann::ordered_json::array();
  const auto now = loop_.clock().wall();
  for (const auto& problem : all) {
    if (said.insert(problem.reason).second) sentences.push_back(problem.reason);
    conditions.push_back({{"kind", type_of(problem.kind).name},
                          {"subject", problem.subject},
                          {"since", net::timestamp(problems_.since(problem, now))},
                          {"reason", problem.reason}});
  }
  root["problems"] = std::move(sentences);
  root["conditions"] = std::move(conditions);
}

}  // namespace director
