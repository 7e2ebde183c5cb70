// The table's side of the director: what the situation asks of the kernel is planned, compared and sent, and what has
// left the cluster file is watched until it may go. Nothing else writes to the table.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "director/engine/director.h"
#include "director/engine/log.h"
#include "director/engine/table_text.h"

namespace director {
namespace {

/// How long to wait before the kernel is asked again for what it refused.
constexpr auto retry_delay = std::chrono::seconds(1);

/// How often a part of the table is compared with the kernel, and how large a part at most: a small table is seen whole
/// each time, one of 4,000 services every 40 s.
constexpr auto drift_look = std::chrono::seconds(1);
constexpr std::size_t drift_budget = 100;

/// How long what left the file may keep its connections where the file no longer says it.
constexpr std::chrono::seconds drain_time_of_strangers{300};

/// The destinations that the cluster file names for a service, its fallback among them.
std::set<ipvs::DestinationKey> named_in(const config::Cluster& cluster,
                                        const std::map<ipvs::ServiceKey, std::size_t>& index,
                                        const ipvs::ServiceKey& key) {
  std::set<ipvs::DestinationKey> named;
  const auto found = index.find(key);
  if (found == index.end()) return named;
  const auto& service = cluster.services[found->second];
  for (const auto& server : service.servers) named.insert({.endpoint = server.endpoint});
  return named;
}

}  // namespace

/// Of the table that was found, what an earlier run put there or the file names is ours; all else is left alone. What
/// is ours and not in the file departs: it takes no new connections, and goes when its open ones have gone.
void Director::adopt_table() {
  own(cluster_);
  for (const auto& [key, s] : index_) {
    states_[s].found_serving =
        std::ranges::any_of(table_.actual(key).destinations, [](const auto& held) { return held.second.weight > 0; });
  }
  for (const auto& key : store_.state().owned) depart(key, drain_time_of(key));
  own_aliens();
}

std::chrono::seconds Director::drain_time_of(const ipvs::ServiceKey& key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? drain_time_of_strangers : cluster_.services[found->second].drain_time;
}

/// The services of a file are directord's own, from before they are written.
void Director::own(const config::Cluster& cluster) {
  store_.update([&](Intents& state) {
    const auto before = state.owned.size();
    for (const auto& service : cluster.services) state.owned.insert(service.key);
    return state.owned.size() != before;
  });
}

/// Notes what the kernel holds of a service and the file does not name: it may keep its connections for `time`.
void Director::depart(const ipvs::ServiceKey& key, std::chrono::seconds time) {
  const auto named = named_in(cluster_, index_, key);
  std::vector<ipvs::DestinationKey> begun;
  store_.update([&](Intents& state) {
    const auto before = state.departures.size();
    begun = note_departures(state.departures, key, table_.actual(key), named, time, loop_.clock().wall());
    return !begun.empty() || state.departures.size() != before;
  });
  for (const auto& destination : begun) log_.add(events::removal_begun(destination, key, time));
  watch_drains();
  touch(key);
}

/// Where the whole table is the file's, what somebody else put there departs.
void Director::own_aliens() {
  if (cluster_.director.ownership != config::Director::Ownership::exclusive) return;
  const auto services = kernel_.services();
  if (!services) return;  // asked again at the next look
  std::vector<ipvs::ServiceKey> aliens;
  for (const auto& row : *services) {
    if (store_.state().owned.contains(row.key) || true_paths_.owns(row.key)) continue;
    if (!table_.read(row.key)) continue;
    log_.add(events::table_alien(row.key));
    aliens.push_back(row.key);
  }
  if (aliens.empty()) return;
  store_.update([&](Intents& state) {
    state.owned.insert(aliens.begin(), aliens.end());
    return true;
  });
  for (const auto& key : aliens) depart(key, drain_time_of(key));
}

void Director::touch(const ipvs::ServiceKey& key) {
  touched_.insert(key);
  if (apply_timer_ == 0) apply_timer_ = loop_.at(loop_.now(), [this] { apply(); });
}

/// Reads again those of `keys` about which there is doubt, and returns those that are known now. What somebody else put
/// there meanwhile departs like anything the file does not name.
std::vector<ipvs::ServiceKey> Director::read_doubtful(const std::set<ipvs::ServiceKey>& keys) {
  std::vector<ipvs::ServiceKey> known, changed;
  for (const auto& key : keys) {
    const auto fresh = table_.refresh(key);
    if (!fresh) {
      complain(key, fresh.error().message);
      continue;
    }
    known.push_back(key);
    if (*fresh && !true_paths_.owns(key)) changed.push_back(key);
  }
  for (const auto& key : changed) depart(key, drain_time_of(key));
  return known;
}

/// A service of the file is as planned, with what departs from it; any other is only what still departs from it.
KernelTable::Wish Director::wish_for(const ipvs::ServiceKey& key) {
  if (true_paths_.owns(key)) return {.key = key, .entry = true_paths_.entry(key)};
  const auto& actual = table_.actual(key);
  ipvs::ServiceEntry entry{.service = actual.service, .destinations = {}};
  const auto found = index_.find(key);
  if (found != index_.end()) {
    adopt(found->second, plan(cluster_.services[found->second], states_[found->second].situation, actual, loop_.now()));
    entry = states_[found->second].plan.entry;
  }
  keep_departing(entry, store_.state().departures, key, actual);
  if (found == index_.end() && entry.destinations.empty()) return {.key = key, .entry = std::nullopt};
  return {.key = key, .entry = std::move(entry)};
}

void Director::apply() {
  write_table();
  routers_.look_at_services();
}

/// Plans, compares and sends what is touched.
void Director::write_table() {
  loop_.cancel(std::exchange(apply_timer_, 0));
  std::vector<KernelTable::Wish> wishes;
  for (const auto& key : read_doubtful(std::exchange(touched_, {}))) wishes.push_back(wish_for(key));

  const auto outcome = table_.make(wishes);
  for (const auto& line : table_text(outcome.done)) log::info("ipvs: " + line);
  for (const auto& wish : wishes) {
    const auto refused = outcome.unsettled.find(wish.key);
    complain(wish.key, refused == outcome.unsettled.end() ? "" : refused->second);
  }
  if (!complaints_.empty() && retry_timer_ == 0) {
    retry_timer_ = loop_.after(retry_delay, [this] {
      retry_timer_ = 0;
      for (const auto& [key, why] : complaints_) touch(key);
    });
  }
  forget_what_has_gone();
}

/// Keeps and tells why a service is not as planned, once for each reason; with no reason, it is.
void Director::complain(const ipvs::ServiceKey& key, const std::string& why) {
  if (why.empty()) {
    complaints_.erase(key);
  } else if (std::exchange(complaints_[key], why) != why) {
    log_.add(events::table_refused(why));
  }
}

/// A service that is neither in the file nor in the kernel any more is nobody's: somebody else may make it anew.
void Director::forget_what_has_gone() {
  if (store_.state().owned.size() == index_.size()) return;
  const auto has_gone = [this](const ipvs::ServiceKey& key) {
    return !index_.contains(key) && !table_.has(key) && !complaints_.contains(key);
  };
  if (std::ranges::none_of(store_.state().owned, has_gone)) return;
  store_.update([&](Intents& state) { return std::erase_if(state.owned, has_gone) > 0; });
}

/// Somebody else may change what is ours: a part of the table is read again each time, and put right.
void Director::look_for_drift() {
  look_at_problems();  // some end without an event
  if (!drift_seen_) own_aliens();
  for (std::size_t looks = drift_budget; looks > 0; --looks) {
    drift_seen_ = next_to_look_at();
    if (!drift_seen_) break;  // all have been seen; begins anew at the next look
    repair(*drift_seen_);
  }
  drift_timer_ = loop_.after(drift_look, [this] { look_for_drift(); });
}

/// The service after drift_seen_, of the file or private.
std::optional<ipvs::ServiceKey> Director::next_to_look_at() const {
  std::optional<ipvs::ServiceKey> next;
  const auto look_in = [&](const auto& services) {
    const auto found = drift_seen_ ? services.upper_bound(*drift_seen_) : services.begin();
    if (found != services.end() && (!next || found->first < *next)) next = found->first;
  };
  look_in(index_);
  look_in(true_paths_.services());
  return next;
}

void Director::repair(const ipvs::ServiceKey& key) {
  if (touched_.contains(key) || complaints_.contains(key)) return;  // about to be read or written anyway
  const auto changed = table_.read(key);
  if (!changed || !*changed) return;
  log_.add(events::table_repaired(key));
  if (true_paths_.owns(key)) return touch(key);
  depart(key, drain_time_of(key));
}

/// Makes a plan the current one of its service, and tells what in it is more than a weight.
void Director::adopt(std::size_t s, Plan plan) {
  const auto& service = cluster_.services[s];
  auto& state = states_[s];
  auto& before = state.situation;
  if (before.quorum != plan.quorum) {
    const bool judged =
        std::ranges::find(before.servers, checkers::State::unknown, &ServerSituation::health) == before.servers.end();
    log_.add(events::service_quorum(service.name, plan.quorum, judged));
  }
  if (state.plan.fallback_serves != plan.fallback_serves) {
    std::vector<std::string> fallbacks;
    for (const auto& server : service.servers) {
      if (server.fallback) fallbacks.push_back(net::to_string(server.endpoint));
    }
    log_.add(
        events::service_fallback(service.name, fmt::format("{}", fmt::join(fallbacks, " ")), plan.fallback_serves));
  }
  if (state.plan.panicking != plan.panicking) {
    log_.add(events::service_panic(service.name, plan.panicking, service.panic));
  }
  before.quorum = plan.quorum;
  loop_.cancel(state.again);
  state.again = plan.again ? loop_.at(*plan.again, [this, key = service.key] { touch(key); }) : 0;
  note_drains(s, plan);
  state.plan = std::move(plan);
}

}  // namespace director
