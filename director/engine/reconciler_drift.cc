// What in the table is not as directord last wrote it: found at the start, and put there by others since.

#include "director/engine/reconciler.h"

#include <algorithm>

namespace director {
namespace {

/// How often a part of the table is compared with the kernel, and how large a part at most: a small table is seen whole
/// each time, one of 4,000 services every 40 s.
constexpr auto drift_look = std::chrono::seconds(1);
constexpr std::size_t drift_budget = 100;

}  // namespace

void Reconciler::adopt_table() {
  own(in_force_.cluster());
  for (const auto& service : in_force_.cluster().services) {
    const auto& held = table_.actual(service.key).destinations;
    if (std::ranges::any_of(held, [](const auto& each) { return each.second.weight > 0; }))
      found_serving_.insert(service.key);
  }
  for (const auto& key : store_.state().owned) depart(key, drain_time_of(key));
  own_aliens();
  drift_timer_ = loop_.at(loop_.now(), [this] { look_for_drift(); });
}

std::chrono::seconds Reconciler::drain_time_of(const ipvs::ServiceKey& key) const {
  const auto* service = in_force_.find(key);
  return service == nullptr ? drain_time_of_strangers : service->drain_time;
}

void Reconciler::depart(const ipvs::ServiceKey& service, std::chrono::seconds time) {
  drains_.depart(service, table_.actual(service), time);
  touch(service);
}

/// Where the whole table is the file's, what somebody else put there departs.
void Reconciler::own_aliens() {
  if (in_force_.cluster().director.ownership != config::Director::Ownership::exclusive) return;
  const auto services = kernel_.services();
  if (!services) return;  // asked again at the next look
  std::vector<ipvs::ServiceKey> aliens;
  for (const auto& row : *services) {
    if (store_.state().owned.contains(row.key) || health_.true_paths().owns(row.key)) continue;
    if (!table_.read(row.key)) continue;
    log_.add(events::table_alien(row.key));
    aliens.push_back(row.key);
  }
  store_.update([&](Intents& state) {
    state.owned.insert(aliens.begin(), aliens.end());
    return !aliens.empty();
  });
  for (const auto& key : aliens) depart(key, drain_time_of(key));
}

/// Somebody else may change what is directord's: a part of the table is read again each time, and put right.
void Reconciler::look_for_drift() {
  if (!drift_seen_) own_aliens();
  for (std::size_t looks = drift_budget; looks > 0; --looks) {
    drift_seen_ = next_to_look_at();
    if (!drift_seen_) break;  // all have been seen; begins anew at the next look
    repair(*drift_seen_);
  }
  drift_timer_ = loop_.after(drift_look, [this] { look_for_drift(); });
}

/// The service after drift_seen_, of the file or private.
std::optional<ipvs::ServiceKey> Reconciler::next_to_look_at() const {
  auto next = in_force_.after(drift_seen_);
  const auto& private_ones = health_.true_paths().services();
  const auto found = drift_seen_ ? private_ones.upper_bound(*drift_seen_) : private_ones.begin();
  if (found != private_ones.end() && (!next || found->first < *next)) next = found->first;
  return next;
}

void Reconciler::repair(const ipvs::ServiceKey& service) {
  if (touched_.contains(service) || refused_.contains(service)) return;  // about to be read or written anyway
  const auto changed = table_.read(service);
  if (!changed || !*changed) return;
  log_.add(events::table_repaired(service));
  if (health_.true_paths().owns(service)) return touch(service);
  depart(service, drain_time_of(service));
}

}  // namespace director
