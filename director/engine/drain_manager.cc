#include "director/engine/drain_manager.h"

#include <algorithm>
#include <set>
#include <utility>

namespace director {
namespace {

/// How often the connections of what drains are counted.
constexpr auto check_interval = std::chrono::seconds(1);

/// Of how many services in one round; the others follow in the next.
constexpr std::size_t check_budget = 256;

/// Its server is to leave the table.
bool is_over(const Drain& drain, WallTime now) { return drain.deadline && *drain.deadline <= now; }

}  // namespace

DrainManager::DrainManager(net::Loop& loop, ipvs::Kernel& kernel, const ClusterInForce& in_force, EventLog& log,
                           StateStore& store, MarkDirty mark_dirty)
    : loop_(loop), kernel_(kernel), in_force_(in_force), log_(log), store_(store), mark_dirty_(std::move(mark_dirty)) {}

/// A drain of a server in the file, as it begins.
Drain DrainManager::new_drain(const config::Service& service, const ServerKey& server, DrainCause cause) const {
  const auto* overrides =
      cause == DrainCause::admin ? overrides_of(store_.state(), service.name, in_force_.at(server).name) : nullptr;
  if (overrides == nullptr || !overrides->drain) return {.cause = cause, .since = store_.now()};
  return {.cause = cause, .since = overrides->drain->since, .deadline = overrides->drain->deadline};
}

void DrainManager::note(const config::Service& service, const std::map<ipvs::DestinationKey, DrainCause>& drained) {
  std::map<ipvs::DestinationKey, Drain> drains;
  for (const auto& [destination, cause] : drained) {
    drains[destination] = new_drain(service, {.service = service.key, .server = destination.endpoint}, cause);
  }
  note_drains(drains_, service.key, drains);
  if (!drains.empty()) schedule();
}

void DrainManager::forget(const ipvs::ServiceKey& service) { note_drains(drains_, service, {}); }

void DrainManager::drain_removed(const ipvs::ServiceKey& service, const ipvs::ServiceEntry& actual,
                                 std::chrono::seconds time) {
  std::set<ipvs::DestinationKey> named;
  if (const auto* in_file = in_force_.find(service); in_file != nullptr) {
    for (const auto& server : in_file->servers) named.insert({.endpoint = server.endpoint});
  }
  std::vector<ipvs::DestinationKey> begun;
  store_.update([&](PersistentState& state) {
    const auto before = state.draining_removed.size();
    begun = note_removed(state.draining_removed, service, actual, named, time, store_.now());
    return !begun.empty() || state.draining_removed.size() != before;
  });
  for (const auto& destination : begun) log_.add(events::removal_begun(destination, service, time));
  schedule();
}

const Drain* DrainManager::find(const ServerKey& server) const {
  const auto found = drains_.find({server.service, {.endpoint = server.server}});
  return found == drains_.end() ? nullptr : &found->second;
}

void DrainManager::schedule() {
  if (timer_ == 0) timer_ = loop_.after(check_interval, [this] { check_connections(); });
}

void DrainManager::check_connections() {
  loop_.cancel(std::exchange(timer_, 0));
  std::set<ipvs::ServiceKey> to_check;
  for (const auto& [which, drain] : draining_removed()) to_check.insert(which.first);
  bool waits = false;  // for a deadline alone
  const auto now = store_.now();
  for (const auto& [which, drain] : drains_) {
    if (!drain.done || is_over(drain, now)) to_check.insert(which.first);
    waits |= drain.done && drain.deadline;
  }
  if (waits || !to_check.empty()) schedule();

  std::vector<DrainKey> gone;
  auto next = cursor_ ? to_check.upper_bound(*cursor_) : to_check.begin();
  for (std::size_t left = std::min(to_check.size(), check_budget); left > 0; --left, ++next) {
    if (next == to_check.end()) next = to_check.begin();
    check_service(*next, gone);
    cursor_ = *next;
  }
  store_.update([&](PersistentState& state) {
    for (const auto& drain : gone) state.draining_removed.erase(drain);
    return !gone.empty();
  });
}

/// Adds to `gone` what has left the file and has no connections left, and tells of the drained servers that have none.
void DrainManager::check_service(const ipvs::ServiceKey& service, std::vector<DrainKey>& gone) {
  const auto status = kernel_.list(service);
  if (!status) return;  // asked again in the next round
  const auto held = [&](const ipvs::DestinationKey& destination) -> const ipvs::DestinationStatus* {
    if (!*status) return nullptr;
    const auto found = (*status)->destinations.find(destination);
    return found == (*status)->destinations.end() ? nullptr : &found->second;
  };
  const auto now = store_.now();
  for (auto drain = draining_removed().lower_bound({service, {}});
       drain != draining_removed().end() && drain->first.first == service; ++drain) {
    const auto& destination = drain->first.second;
    const auto why = end_reason(drain->second, service.protocol, held(destination), now);
    if (!why) continue;
    log_.add(events::removal_done(destination, service, *why));
    gone.push_back(drain->first);
    mark_dirty_(service);
  }
  for (auto drain = drains_.lower_bound({service, {}}); drain != drains_.end() && drain->first.first == service;
       ++drain) {
    const auto& destination = drain->first.second;
    const auto why = end_reason(drain->second, service.protocol, held(destination), now);
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
