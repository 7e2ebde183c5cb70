// Another cluster file takes force: what is the same in both goes on untouched, and what differs is planned anew.

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "director/engine/director.h"

namespace director {

net::Result<> Director::reload(config::Cluster next, config::Node node, const std::string& what) {
  // First all that may fail.
  std::optional<VirtualRouters::Prepared> routers;
  if (!options_.dry_run) {
    auto prepared = routers_.prepare(next, node);
    if (!prepared) return std::unexpected(prepared.error());
    routers = std::move(*prepared);
    if (auto opened = true_paths_.open(next); !opened) return opened;
  }
  own(next);

  std::vector<ServiceState> states(next.services.size());
  std::vector<ipvs::ServiceKey> changed;
  std::vector<std::size_t> forgotten, aimed;  // their checks, by the old place and the new one
  for (std::size_t s = 0; s < next.services.size(); ++s) {
    const auto known = index_.find(next.services[s].key);
    const bool differs = carry_over(states[s], next.services[s]);
    if (differs) changed.push_back(next.services[s].key);
    if (!differs && known->second == s) continue;
    aimed.push_back(s);
    if (known != index_.end()) forgotten.push_back(known->second);
  }
  std::map<ipvs::ServiceKey, std::size_t> index;
  for (std::size_t s = 0; s < next.services.size(); ++s) index[next.services[s].key] = s;
  std::map<ipvs::ServiceKey, std::chrono::seconds> leaving;
  for (const auto& [key, s] : index_) {
    if (index.contains(key)) continue;
    loop_.cancel(states_[s].again);
    director::note_drains(drains_, key, {});
    changed.push_back(key);
    forgotten.push_back(s);
    leaving[key] = cluster_.services[s].drain_time;
  }
  ++reloads_;
  const bool had_true_paths = !true_paths_.services().empty();
  if (!had_true_paths) forget_checks(forgotten);
  cluster_ = std::move(next);
  options_.node = std::move(node);
  states_ = std::move(states);
  index_ = std::move(index);
  set_true_paths();
  if (had_true_paths || !true_paths_.services().empty()) {
    set_checks();  // any of them may lead elsewhere now
  } else {
    add_checks(aimed);
  }

  for (const auto& key : changed) {
    const auto found = index_.find(key);
    for (std::size_t i = 0; found != index_.end() && i < cluster_.services[found->second].servers.size(); ++i) {
      heed_orders({.service = found->second, .server = i});
    }
    const auto time = leaving.find(key);
    depart(key, time == leaving.end() ? drain_time_of(key) : time->second);
  }
  log_.add(events::reloaded(what));
  // The routers are asked to lead by what is known of the new file's services, none of which is half known.
  write_table();
  if (routers) routers_.adopt(std::move(*routers), cluster_);
  peers_.set_own(cluster_, options_.node);
  look_at_drains();
  if (options_.dry_run) return {};
  routers_.introduce(peers_.own());
  sync_.set(cluster_.connection_sync, options_.node.name);
  settings_.set(cluster_);
  return {};
}

net::Result<> Director::reread(const vrrp::Digest& files) {
  if (!options_.dry_run) {
    auto routers = routers_.prepare(cluster_, options_.node);
    if (!routers) return std::unexpected(routers.error());
    routers_.adopt(std::move(*routers), cluster_);
  }
  cluster_.fingerprint = files;
  peers_.set_own(cluster_, options_.node);
  routers_.introduce(peers_.own());
  return {};
}

void Director::note_refused_file(const std::string& who, const std::string& why) {
  file_complaint_ = fmt::format("{}; the file of {} stays in force", why, net::timestamp(in_force_since_));
  log_.add(events::reload_refused(file_complaint_, who));
}

void Director::note_good_file() {
  file_complaint_.clear();
  in_force_since_ = loop_.clock().wall();
}

void Director::forget_checks(std::span<const std::size_t> services) {
  for (const auto s : services) {
    for_each_check(s, [this](const auto& key, ServerId user) { users_.remove(key, user); });
  }
}

void Director::add_checks(std::span<const std::size_t> services) {
  for (const auto s : services) {
    for_each_check(s, [this](const auto& key, ServerId user) { users_.add(key, user); });
  }
  const auto difference = users_.difference();
  checkers_.change(difference.gone, difference.added);
  for (const auto s : services) look_at_checks(s);
}

/// Gives `state` what is known of the same service and servers, whatever they are called: true when the file says
/// something else of them.
bool Director::carry_over(ServiceState& state, const config::Service& next) {
  const auto found = index_.find(next.key);
  if (found == index_.end()) {
    state.situation.servers.resize(next.servers.size());
    return true;
  }
  auto& known = states_[found->second];
  const auto& before = cluster_.services[found->second];
  state.plan = std::move(known.plan);
  state.again = std::exchange(known.again, 0);
  state.situation.quorum = known.situation.quorum;
  if (before == next) {
    state.situation.servers = std::move(known.situation.servers);
    return false;
  }
  state.situation.servers.resize(next.servers.size());
  std::map<net::Endpoint, std::size_t> place;
  for (std::size_t i = 0; i < before.servers.size(); ++i) place[before.servers[i].endpoint] = i;
  for (std::size_t i = 0; i < next.servers.size(); ++i) {
    const auto at = place.find(next.servers[i].endpoint);
    if (at != place.end()) state.situation.servers[i] = known.situation.servers[at->second];
  }
  return true;
}

}  // namespace director
