// What the director has to do with its virtual routers.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "director/engine/director.h"
#include "director/engine/log.h"
#include "director/engine/vrrp_status.h"

namespace director {

VirtualRouters::Hooks Director::routers_hooks() {
  return {.not_ready = [this] { return not_ready(); },
          .below_quorum = [this](const std::string& service) { return below_quorum(service); },
          .report =
              [this](Event event) {
                event.text = with_names(event.text, peers_.names(cluster_));
                event.reason = with_names(event.reason, peers_.names(cluster_));
                log_.add(std::move(event));
              },
          .on_met = [this](const vrrp::Identity& other, const net::Address& from) { peers_.hear(other, from); }};
}

std::string Director::not_ready() const {
  if (!complaints_.empty()) return complaints_.begin()->second;
  if (!touched_.empty()) return "the rules are not in the kernel yet";
  for (std::size_t s = 0; s < states_.size(); ++s) {
    if (states_[s].found_serving) continue;  // it goes on as it is
    for (std::size_t i = 0; i < states_[s].situation.servers.size(); ++i) {
      if (states_[s].situation.servers[i].health != checkers::State::unknown) continue;
      return fmt::format("server {} has not been judged yet", name_of({.service = s, .server = i}));
    }
  }
  return "";
}

bool Director::below_quorum(const std::string& service) const {
  const auto found = std::ranges::find(cluster_.services, service, &config::Service::name);
  if (found == cluster_.services.end()) return false;
  const auto& state = states_[static_cast<std::size_t>(found - cluster_.services.begin())];
  const bool judged = std::ranges::find(state.situation.servers, checkers::State::unknown, &ServerSituation::health) ==
                      state.situation.servers.end();
  return judged && !state.plan.quorum;
}

RequestResult<std::string> Director::hand_over(const std::string& router, const std::optional<std::string>& to) {
  auto done = routers_.hand_over(cluster_, router, to);
  if (done) log_.add(events::router_order(router));
  return done;
}

/// With what each is held to by `track`.
nlohmann::ordered_json Director::routers_status() const {
  auto list = nlohmann::ordered_json::array();
  const auto names = peers_.names(cluster_);
  for (const auto& router : routers_.status()) {
    auto status = vrrp_status(router, names, loop_.now(), wall_.at(router.since));
    auto trackers = nlohmann::ordered_json::array();
    for (const auto& [name, state, since, reason, lower] : routers_.trackers(router.spec.name)) {
      trackers.push_back({{"name", name},
                          {"state", checkers::to_string(state)},
                          {"since", net::timestamp(wall_.at(since))},
                          {"reason", reason},
                          {"lower", lower}});
    }
    status["trackers"] = std::move(trackers);
    list.push_back(std::move(status));
  }
  return list;
}

nlohmann::ordered_json Director::vrrp() const {
  return {
      {"node", options_.node.name}, {"nodes", peers_.status(cluster_, options_.dry_run)}, {"vrrp", routers_status()}};
}

}  // namespace director
