#include "director/engine/drain_manager.h"

#include <algorithm>
#include <set>
#include <utility>

namespace director {
namespace {

/// How often the connections of what drains are counted.
constexpr auto look_interval = std::chrono::seconds(1);

/// Of how many services in one look; the others follow in the next.
constexpr std::size_t look_budget = 256;

/// Its server is to leave the table.
bool is_over(const Drain& drain, WallTime now) { return drain.deadline && *drain.deadline <= now; }

}  // namespace

DrainManager::DrainManager(net::Loop& loop, ipvs::Kernel& kernel, const ClusterInForce& in_force, EventLog& log,
                           StateStore& store, MarkDirty mark_dirty)
    : loop_(loop), kernel_(kernel), in_force_(in_force), log_(log), store_(store), mark_dirty_(std::move(mark_dirty)) {}

/// A drain of a server in the file, as it begins.
Drain DrainManager::beginning_of(const config::Service& service, const ServerKey& server, DrainCause cause) const {
  const auto* overrides =
      cause == DrainCause::admin ? overrides_of(store_.state(), service.name, in_force_.find(server)->name) : nullptr;
  if (overrides == nullptr || !overrides->drain) return {.cause = cause, .since = store_.now()};
  return {.cause = cause, .since = overrides->drain->since, .deadline = overrides->drain->deadline};
}

void DrainManager::note(const config::Service& service, const std::map<ipvs::DestinationKey, DrainCause>& drained) {
  std::map<ipvs::DestinationKey, Drain> drains;
  for (const auto& [destination, cause] : drained) {
    drains[destination] = beginning_of(service, {.service = service.key, .server = destination.endpoint}, cause);
  }
  note_drains(drains_, service.key, drains);
  if (!drains.empty()) watch();
}

void DrainManager::forget(const ipvs::ServiceKey& service) { note_drains(drains_, service, {}); }

void DrainManager::depart(const ipvs::ServiceKey& service, const ipvs::ServiceEntry& actual,
                          std::chrono::seconds time) {
  std::set<ipvs::DestinationKey> named;
  if (const auto* in_file = in_force_.find(service); in_file != nullptr) {
    for (const auto& server : in_file->servers) named.insert({.endpoint = server.endpoint});
  }
  std::vector<ipvs::DestinationKey> begun;
  store_.update([&](PersistentState& state) {
    const auto before = state.departures.size();
    begun = note_departures(state.departures, service, actual, named, time, store_.now());
    return !begun.empty() || state.departures.size() != before;
  });
  for (const auto& destination : begun) log_.add(events::removal_begun(destination, service, time));
  watch();
}

const Drain* DrainManager::find(const ServerKey& server) const {
  const auto found = drains_.find({server.service, {.endpoint = server.server}});
  return found == drains_.end() ? nullptr : &found->second;
}

void DrainManager::watch() {
  if (timer_ == 0) timer_ = loop_.after(look_interval, [this] { look(); });
}

void DrainManager::look() {
  loop_.cancel(std::exchange(timer_, 0));
  std::set<ipvs::ServiceKey> watched;
  for (const auto& [which, departure] : departures()) watched.insert(which.first);
  bool waits = false;  // for a deadline alone
  const auto now = store_.now();
  for (const auto& [which, drain] : drains_) {
    if (!drain.done || is_over(drain, now)) watched.insert(which.first);
    waits |= drain.done && drain.deadline;
  }
  if (waits || !watched.empty()) watch();

  std::vector<DrainKey> gone;
  auto next = seen_ ? watched.upper_bound(*seen_) : watched.begin();
  for (std::size_t looks = std::min(watched.size(), look_budget); looks > 0; --looks, ++next) {
    if (next == watched.end()) next = watched.begin();
    look_at(*next, gone);
    seen_ = *next;
  }
  store_.update([&](PersistentState& state) {
    for (const auto& departure : gone) state.departures.erase(departure);
    return !gone.empty();
  });
}

/// Adds to `gone` what has left the file and has no connections left, and tells of the drained servers that have none.
void DrainManager::look_at(const ipvs::ServiceKey& service, std::vector<DrainKey>& gone) {
  const auto status = kernel_.list(service);
  if (!status) return;  // asked again at the next look
  const auto held = [&](const ipvs::DestinationKey& destination) -> const ipvs::DestinationStatus* {
    if (!*status) return nullptr;
    const auto found = (*status)->destinations.find(destination);
    return found == (*status)->destinations.end() ? nullptr : &found->second;
  };
  const auto now = store_.now();
  for (auto departure = departures().lower_bound({service, {}});
       departure != departures().end() && departure->first.first == service; ++departure) {
    const auto& destination = departure->first.second;
    const auto why = ended(departure->second, service.protocol, held(destination), now);
    if (!why) continue;
    log_.add(events::removal_done(destination, service, *why));
    gone.push_back(departure->first);
    mark_dirty_(service);
  }
  for (auto drain = drains_.lower_bound({service, {}}); drain != drains_.end() && drain->first.first == service;
       ++drain) {
    const auto& destination = drain->first.second;
    const auto why = ended(drain->second, service.protocol, held(destination), now);
    const bool was_done = drain->second.done;
    if (!why || (was_done && !is_over(drain->second, now))) continue;
    drain->second.done = true;
    const ServerKey server{.service = service, .server = destination.endpoint};
    if (in_force_.find(server) == nullptr) continue;
    // That a failed server has no connections left is nothing that anybody waits for.
    const bool wanted = drain->second.cause != DrainCause::health;
    if (wanted && !was_done && held(destination) != nullptr)
      log_.add(events::server_drained(in_force_.name_of(server), *why));
    if (drain->second.cause == DrainCause::admin) mark_dirty_(service);
  }
}

}  // namespace director
