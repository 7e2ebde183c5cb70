#include "director/engine/reconciler.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "director/engine/log.h"
#include "director/engine/operator_overrides.h"
#include "director/engine/table_text.h"
#include "net/check.h"

namespace director {
namespace {

/// How long to wait before the kernel is asked again for what it refused.
constexpr auto retry_delay = std::chrono::seconds(1);

/// Nothing is planned yet.
const Plan no_plan;

}  // namespace

Reconciler::Reconciler(net::Loop& loop, ipvs::Kernel& kernel, const ClusterInForce& in_force, EventLog& log,
                       StateStore& store, const HealthMonitor& health, DrainManager& drains, Hooks hooks)
    : loop_(loop),
      kernel_(kernel),
      in_force_(in_force),
      log_(log),
      store_(store),
      health_(health),
      drains_(drains),
      hooks_(std::move(hooks)),
      table_(kernel) {}

Reconciler::~Reconciler() {
  for (const auto timer : {reconcile_timer_, retry_timer_, drift_timer_}) loop_.cancel(timer);
  for (const auto& [key, planned] : plans_) loop_.cancel(planned.replan_timer);
}

net::Result<> Reconciler::read() { return table_.read(); }

void Reconciler::own(const config::Cluster& cluster) {
  store_.update([&](PersistentState& state) {
    const auto before = state.owned.size();
    for (const auto& service : cluster.services) state.owned.insert(service.key);
    return state.owned.size() != before;
  });
}

void Reconciler::after_reload(const ClusterInForce::Differences& differences,
                              const std::map<ipvs::ServiceKey, std::chrono::seconds>& drain_times) {
  for (const auto& service : differences.gone) {
    drains_.forget(service);
    const auto planned = plans_.find(service);
    if (planned == plans_.end()) continue;
    loop_.cancel(planned->second.replan_timer);
    plans_.erase(planned);
  }
  for (const auto& service : differences.changed) drain_removed(service, drain_time_of(service));
  for (const auto& service : differences.gone)
    drain_removed(service, net::must_find(drain_times, service, "what leaves the file has a drain time"));
}

void Reconciler::mark_dirty(const ipvs::ServiceKey& service) {
  dirty_.insert(service);
  if (reconcile_timer_ == 0) reconcile_timer_ = loop_.at(loop_.now(), [this] { reconcile(); });
}

void Reconciler::reconcile() {
  write();
  hooks_.on_reconciled();
}

void Reconciler::write() {
  loop_.cancel(std::exchange(reconcile_timer_, 0));
  if (!lost_.empty()) return;  // what is dirty stays so until it is there again
  std::vector<KernelTable::Desired> desired;
  for (const auto& service : refresh_stale(std::exchange(dirty_, {}))) desired.push_back(desired_entry(service));

  const auto outcome = table_.apply(desired);
  for (const auto& line : table_text(outcome.done)) log::info("ipvs: " + line);
  for (const auto& service : desired) {
    const auto refused = outcome.failed.find(service.key);
    note_refused(service.key, refused == outcome.failed.end() ? "" : refused->second);
    hooks_.on_written(service.key);
  }
  if (!refused_.empty() && retry_timer_ == 0) {
    retry_timer_ = loop_.after(retry_delay, [this] {
      retry_timer_ = 0;
      for (const auto& [service, why] : refused_) mark_dirty(service);
    });
  }
  disown_removed();
}

void Reconciler::remove_all() {
  std::vector<KernelTable::Desired> nothing;
  for (const auto& key : store_.state().owned) nothing.push_back({.key = key, .entry = std::nullopt});
  for (const auto& [key, path] : health_.vip_checks().services())
    nothing.push_back({.key = key, .entry = std::nullopt});
  const auto outcome = table_.apply(nothing);
  for (const auto& line : table_text(outcome.done)) log::info("ipvs: " + line);
  for (const auto& [key, why] : outcome.failed) log_.add(events::table_refused(why));
}

bool Reconciler::has_traffic(const ServerKey& server) const {
  const auto& held = table_.actual(server.service).destinations;
  const auto found = held.find({.endpoint = server.server});
  return found != held.end() && found->second.weight > 0;
}

const Plan& Reconciler::plan_of(const ipvs::ServiceKey& service) const {
  const auto found = plans_.find(service);
  return found == plans_.end() ? no_plan : found->second.plan;
}

ObservedService Reconciler::observe(const config::Service& service) const {
  ObservedService observed{.servers = {}, .quorum = plan_of(service.key).quorum};
  observed.servers.reserve(service.servers.size());
  const auto& health = health_.of(service.key);
  const auto now = store_.now();
  const bool has_any = has_overrides(store_.state(), service.name);
  for (const auto& server : service.servers) {
    const auto& [state, since, advice, slow_start_from] = health_of(health, server.endpoint);
    auto& all = observed.servers.emplace_back(ObservedServer{
        .health = state, .since = since, .advice = advice, .weight = {}, .slow_start_from = slow_start_from});
    const auto* overrides = has_any ? overrides_of(store_.state(), service.name, server.name) : nullptr;
    if (overrides == nullptr) continue;
    all.admin_state = admin_state_in(*overrides, now);
    if (overrides->weight) all.weight = overrides->weight->value;
  }
  return observed;
}

/// Reads again those of `services` that are stale, and returns those that are known now. What somebody else
/// put there meanwhile drains like anything the file does not name.
std::vector<ipvs::ServiceKey> Reconciler::refresh_stale(const std::set<ipvs::ServiceKey>& services) {
  std::vector<ipvs::ServiceKey> known, changed;
  for (const auto& service : services) {
    const auto fresh = table_.refresh(service);
    if (!fresh) {
      note_refused(service, fresh.error().message);
      if (fresh.error().code == ENOENT) note_unreadable(fresh.error());
      continue;
    }
    known.push_back(service);
    if (*fresh && !health_.vip_checks().owns(service)) changed.push_back(service);
  }
  for (const auto& service : changed) drain_removed(service, drain_time_of(service));
  return known;
}

/// A service of the file is as planned, with the removed servers that drain; any other is only those that still drain.
KernelTable::Desired Reconciler::desired_entry(const ipvs::ServiceKey& key) {
  const auto& vip_checks = health_.vip_checks();
  if (vip_checks.owns(key)) return {.key = key, .entry = vip_checks.entry(key)};
  const auto& actual = table_.actual(key);
  ipvs::ServiceEntry entry{.service = actual.service, .destinations = {}};
  const auto* service = in_force_.find(key);
  if (service != nullptr) {
    set_plan(*service, plan(*service, observe(*service), actual, loop_.now()));
    entry = plan_of(key).entry;
  }
  keep_draining_removed(entry, drains_.draining_removed(), key, actual);
  if (service == nullptr && entry.destinations.empty()) return {.key = key, .entry = std::nullopt};
  return {.key = key, .entry = std::move(entry)};
}

/// Makes a plan the current one of its service, and tells what in it is more than a weight.
void Reconciler::set_plan(const config::Service& service, Plan plan) {
  auto& planned = plans_[service.key];
  const auto& before = planned.plan;
  if (before.quorum != plan.quorum) {
    const auto needed = plan.quorum ? service.quorum.regain : service.quorum.below;
    log_.add(events::service_quorum(
        service.name, plan.quorum, health_.all_known(service.key),
        fmt::format("{} of {} servers in service, {} needed", plan.in_service, plan.servers, needed)));
  }
  if (before.fallback_in_use != plan.fallback_in_use) {
    std::vector<std::string> fallbacks;
    for (const auto& server : service.servers) {
      if (server.fallback) fallbacks.push_back(net::to_string(server.endpoint));
    }
    log_.add(
        events::service_fallback(service.name, fmt::format("{}", fmt::join(fallbacks, ", ")), plan.fallback_in_use));
  }
  if (before.panicking != plan.panicking) {
    log_.add(events::service_panic(service.name, plan.panicking, service.panic));
  }
  loop_.cancel(planned.replan_timer);
  planned.replan_timer = plan.replan_at ? loop_.at(*plan.replan_at, [this, key = service.key] { mark_dirty(key); }) : 0;
  drains_.note(service, plan.drained);
  planned.plan = std::move(plan);
}

/// Keeps and tells why a service is not as planned, once for each reason; with no reason, it is.
void Reconciler::note_refused(const ipvs::ServiceKey& service, const std::string& why) {
  if (why.empty()) {
    refused_.erase(service);
  } else if (std::exchange(refused_[service], why) != why) {
    log_.add(events::table_refused(why));
  }
}

/// A service that is neither in the file nor in the kernel any more is nobody's: somebody else may make it anew.
void Reconciler::disown_removed() {
  if (store_.state().owned.size() == in_force_.services()) return;
  store_.update([this](PersistentState& state) {
    return std::erase_if(state.owned, [this](const ipvs::ServiceKey& key) {
             return !in_force_.has(key) && !table_.has(key) && !refused_.contains(key);
           }) > 0;
  });
}

}  // namespace director
