// What in the table is not as directord last wrote it: found at the start, and put there by others since.

#include "director/engine/reconciler.h"

#include <algorithm>
#include <cerrno>

namespace director {
namespace {

/// How often a part of the table is compared with the kernel, and how large a part at most: a small table is seen whole
/// each time, one of 4,000 services every 40 s.
constexpr auto drift_interval = std::chrono::seconds(1);
constexpr std::size_t drift_budget = 100;

/// So many times in a row, a second apart, the table may be unreadable.
constexpr int unreadable_at_most = 3;

}  // namespace

void Reconciler::adopt_table() {
  own(in_force_.cluster());
  for (const auto& service : in_force_.cluster().services) {
    const auto& held = table_.actual(service.key).destinations;
    if (std::ranges::any_of(held, [](const auto& each) { return each.second.weight > 0; }))
      found_serving_.insert(service.key);
  }
  for (const auto& key : store_.state().owned) drain_removed(key, drain_time_of(key));
  take_over_unknown();
  drift_timer_ = loop_.at(loop_.now(), [this] { check_for_drift(); });
}

std::chrono::seconds Reconciler::drain_time_of(const ipvs::ServiceKey& key) const {
  const auto* service = in_force_.find(key);
  return service == nullptr ? default_drain_time : service->drain_time;
}

void Reconciler::drain_removed(const ipvs::ServiceKey& service, std::chrono::seconds time) {
  drains_.drain_removed(service, table_.actual(service), time);
  mark_dirty(service);
}

/// Where the whole table is the file's, what somebody else put there drains.
void Reconciler::take_over_unknown() {
  if (in_force_.cluster().director.ownership != config::Director::Ownership::exclusive) return;
  const auto services = kernel_.services();
  if (!services) return note_unreadable(services.error());  // asked again in the next round
  unreadable_ = 0;
  std::vector<ipvs::ServiceKey> unknown;
  for (const auto& row : *services) {
    if (store_.state().owned.contains(row.key) || health_.vip_checks().owns(row.key)) continue;
    if (!table_.read(row.key)) continue;
    log_.add(events::table_unknown_service(row.key));
    unknown.push_back(row.key);
  }
  store_.update([&](PersistentState& state) {
    state.owned.insert(unknown.begin(), unknown.end());
    return !unknown.empty();
  });
  for (const auto& key : unknown) drain_removed(key, drain_time_of(key));
}

/// Somebody else may change what is directord's: a part of the table is read again each time, and put right.
void Reconciler::check_for_drift() {
  drift_timer_ = loop_.after(drift_interval, [this] { check_for_drift(); });
  if (!lost_.empty()) return look_for_table();
  const int unreadable_before = unreadable_;
  if (!drift_cursor_) take_over_unknown();
  if (unreadable_ > unreadable_before) return;
  for (std::size_t left = drift_budget; left > 0; --left) {
    drift_cursor_ = next_to_compare();
    if (!drift_cursor_) break;  // all have been seen; begins anew in the next round
    repair(*drift_cursor_);
    if (unreadable_ > 0) break;  // nor are the others readable
  }
}

/// A dump that others' changes interrupt is no loss; a module that is gone is one at once.
void Reconciler::note_unreadable(const net::Error& error) {
  if (++unreadable_ < unreadable_at_most && error.code != ENOENT) return;
  lost_ = error.message;
  refused_.clear();
  log_.add(events::table_lost(lost_));
  hooks_.on_reconciled();
}

void Reconciler::look_for_table() {
  if (!kernel_.reopen() || !table_.read()) return;
  unreadable_ = 0;
  lost_.clear();
  log_.add(events::table_found());
  for (const auto& service : in_force_.cluster().services) mark_dirty(service.key);
  for (const auto& [service, path] : health_.vip_checks().services()) mark_dirty(service);
  reconcile();
  hooks_.on_table_found();
}

/// The service after drift_cursor_, of the file or private.
std::optional<ipvs::ServiceKey> Reconciler::next_to_compare() const {
  auto next = in_force_.after(drift_cursor_);
  const auto& private_ones = health_.vip_checks().services();
  const auto found = drift_cursor_ ? private_ones.upper_bound(*drift_cursor_) : private_ones.begin();
  if (found != private_ones.end() && (!next || found->first < *next)) next = found->first;
  return next;
}

void Reconciler::repair(const ipvs::ServiceKey& service) {
  if (dirty_.contains(service) || refused_.contains(service)) return;  // about to be read or written anyway
  const auto changed = table_.read(service);
  if (!changed) return note_unreadable(changed.error());
  unreadable_ = 0;
  if (!*changed) return;
  log_.add(events::table_repaired(service));
  if (health_.vip_checks().owns(service)) return mark_dirty(service);
  drain_removed(service, drain_time_of(service));
}

}  // namespace director
