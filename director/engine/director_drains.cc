// What takes no new connections is watched until its last one has gone or its time is up.

#include <fmt/format.h>

#include <algorithm>

#include "director/engine/director.h"

namespace director {
namespace {

/// How often the connections of what drains are counted.
constexpr auto drain_look = std::chrono::seconds(1);

/// Of how many services in one look; the others follow in the next.
constexpr std::size_t drain_budget = 256;

/// Its server is to leave the table.
bool is_over(const Drain& drain, WallTime now) { return drain.deadline && *drain.deadline <= now; }

}  // namespace

/// A drain of a server in the file, as it begins.
Drain Director::drain_of(ServerId id, Cause cause) const {
  const auto ordered = store_.state().orders.find(name_of(id));
  if (cause != Cause::order || ordered == store_.state().orders.end() || !ordered->second.drain) {
    return {.cause = cause, .since = loop_.clock().wall()};
  }
  return {.cause = cause, .since = ordered->second.drain->since, .deadline = ordered->second.drain->deadline};
}

void Director::note_drains(std::size_t s, const Plan& plan) {
  const auto& service = cluster_.services[s];
  std::map<ipvs::DestinationKey, Drain> drains;
  for (std::size_t i = 0; i < service.servers.size() && !plan.drained.empty(); ++i) {
    const ipvs::DestinationKey destination{.endpoint = service.servers[i].endpoint};
    const auto drained = plan.drained.find(destination);
    if (drained != plan.drained.end()) {
      drains[destination] = drain_of({.service = s, .server = i}, drained->second);
    }
  }
  director::note_drains(drains_, service.key, drains);
  if (!drains.empty()) watch_drains();
}

void Director::watch_drains() {
  if (drain_timer_ == 0) drain_timer_ = loop_.after(drain_look, [this] { look_at_drains(); });
}

void Director::look_at_drains() {
  loop_.cancel(drain_timer_);
  drain_timer_ = 0;
  std::set<ipvs::ServiceKey> watched;
  for (const auto& [which, departure] : store_.state().departures) watched.insert(which.first);
  bool waits = false;  // for a deadline alone
  const auto now = loop_.clock().wall();
  for (const auto& [which, drain] : drains_) {
    if (!drain.done || is_over(drain, now)) watched.insert(which.first);
    waits |= drain.done && drain.deadline;
  }
  if (waits || !watched.empty()) watch_drains();

  std::vector<DrainKey> gone;
  auto next = drains_seen_ ? watched.upper_bound(*drains_seen_) : watched.begin();
  for (std::size_t looks = std::min(watched.size(), drain_budget); looks > 0; --looks, ++next) {
    if (next == watched.end()) next = watched.begin();
    look_at_drains_of(*next, gone);
    drains_seen_ = *next;
  }
  if (gone.empty()) return;
  store_.update([&](Intents& state) {
    for (const auto& departure : gone) state.departures.erase(departure);
    return true;
  });
}

/// Adds to `gone` what has left the file and has no connections left, and tells of the drained servers that have none.
void Director::look_at_drains_of(const ipvs::ServiceKey& key, std::vector<DrainKey>& gone) {
  const auto status = kernel_.list(key);
  if (!status) return;  // asked again at the next look
  const auto held = [&](const ipvs::DestinationKey& destination) -> const ipvs::DestinationStatus* {
    if (!*status) return nullptr;
    const auto found = (*status)->destinations.find(destination);
    return found == (*status)->destinations.end() ? nullptr : &found->second;
  };
  const auto now = loop_.clock().wall();
  const auto& departures = store_.state().departures;
  for (auto departure = departures.lower_bound({key, {}});
       departure != departures.end() && departure->first.first == key; ++departure) {
    const auto& destination = departure->first.second;
    const auto why = ended(departure->second, key.protocol, held(destination), now);
    if (!why) continue;
    log_.add(events::removal_done(destination, key, *why));
    gone.push_back(departure->first);
    touch(key);
  }
  for (auto drain = drains_.lower_bound({key, {}}); drain != drains_.end() && drain->first.first == key; ++drain) {
    const auto why = ended(drain->second, key.protocol, held(drain->first.second), now);
    const bool was_done = drain->second.done;
    if (!why || (was_done && !is_over(drain->second, now))) continue;
    drain->second.done = true;
    const auto service = index_.at(key);
    const auto& servers = cluster_.services[service].servers;
    const auto server = std::ranges::find(servers, drain->first.second.endpoint, &config::Server::endpoint);
    if (server == servers.end()) continue;
    const ServerId id{.service = service, .server = static_cast<std::size_t>(server - servers.begin())};
    // That a failed server has no connections left is nothing that anybody waits for.
    const bool wanted = drain->second.cause != Cause::health;
    if (wanted && !was_done && held(drain->first.second) != nullptr)
      log_.add(events::server_drained(name_of(id), *why));
    if (drain->second.cause == Cause::order) heed_orders(id);
  }
}

}  // namespace director
