#include "checkers/checkers.h"

#include <algorithm>
#include <utility>

#include "net/check.h"

namespace checkers {
namespace {

/// How often to look while a change is pending, and how often otherwise.
net::Duration interval_for(const Spec& spec, HealthChange change) {
  const bool faster = change == HealthChange::pending && spec.pending_interval > std::chrono::milliseconds::zero();
  return faster ? spec.pending_interval : spec.interval;
}

}  // namespace

Checkers::Checkers(net::Loop& loop, OnReport on_report, MakeProber make_prober, LocalFaults::OnChange on_local_fault)
    : loop_(loop),
      on_report_(std::move(on_report)),
      specs_(std::move(make_prober)),
      local_faults_(std::move(on_local_fault)) {}

Checkers::~Checkers() {
  for (const auto& check : checks_) {
    if (check.probe) loop_.cancel(check.probe->timer);
  }
  loop_.cancel(start_timer_);
}

std::size_t Checkers::IndexKeyHash::operator()(const IndexKey& place) const {
  return hash_of(place.target, place.mark) ^ (std::size_t{place.spec} * 0x9e3779b97f4a7c15);
}

void Checkers::set(std::span<const Key> keys) {
  for (const auto& key : keys) {
    const auto spec = specs_.intern(key.spec);
    const auto found = index_.find({.target = key.target, .spec = spec, .mark = key.mark});
    checks_[found == index_.end() ? add(key, spec) : found->second].kept = true;
  }
  for (Id id = 0; id < checks_.size(); ++id) {
    if (checks_[id].present && !std::exchange(checks_[id].kept, false)) remove(id);
  }
  // A spec that was only looked at, for checks that were there already or that turned out to be none.
  for (SpecId spec = 0; spec < specs_.end(); ++spec) release_unused(spec);
  arm();
}

void Checkers::change(std::span<const Key> gone, std::span<const Key> added) {
  for (const auto& key : added) {
    const auto spec = specs_.intern(key.spec);
    if (!index_.contains({.target = key.target, .spec = spec, .mark = key.mark})) add(key, spec);
  }
  for (const auto& key : gone) {
    const auto id = id_of(key);
    if (!id) continue;
    const auto spec = checks_[*id].spec;
    remove(*id);
    release_unused(spec);
  }
  arm();
}

void Checkers::suppress_failures(const net::Address& target, net::Instant until, std::string why) {
  suppressions_[target] = {.until = until, .why = std::move(why)};
}

void Checkers::probe_now(const Key& key) {
  const auto id = id_of(key);
  if (!id) return;
  schedule_.run_now(*id, loop_.now());
  arm();
}

std::optional<Checkers::Id> Checkers::id_of(const Key& key) const {
  const auto spec = specs_.find(key.spec);
  if (!spec) return std::nullopt;
  const auto found = index_.find({.target = key.target, .spec = *spec, .mark = key.mark});
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

const Health* Checkers::find(const Key& key) const {
  const auto id = id_of(key);
  return id ? &checks_[*id].health : nullptr;
}

void Checkers::mark_serving(const Key& key) {
  if (const auto id = id_of(key)) checks_[*id].health.serving = checks_[*id].health.state == HealthState::unknown;
}

void Checkers::release_unused(SpecId spec) {
  const auto gone = specs_.release_unused(spec);
  if (!gone) return;
  if (const auto* file = std::get_if<File>(&gone->kind)) files_.forget(file->path);
}

Checkers::Id Checkers::add(const Key& key, SpecId spec) {
  Id id;
  if (free_checks_.empty()) {
    id = static_cast<Id>(checks_.size());
    checks_.emplace_back();
  } else {
    id = free_checks_.back();
    free_checks_.pop_back();
  }
  auto& check = checks_[id];
  check.target = key.target;
  check.spec = spec;
  check.mark = key.mark;
  check.present = true;
  check.health = {.state = key.spec.initially_up ? HealthState::up : HealthState::unknown, .since = loop_.now()};
  specs_.add_user(spec);
  index_.emplace(IndexKey{.target = key.target, .spec = spec, .mark = key.mark}, id);
  schedule_.add(id, stable_hash(to_string(key)), interval_for(key.spec, HealthChange::pending), loop_.now());
  return id;
}

void Checkers::remove(Id id) {
  auto& check = checks_[id];
  net::check(check.present, "a check is removed once");
  schedule_.remove(id);
  index_.erase({.target = check.target, .spec = check.spec, .mark = check.mark});
  specs_.remove_user(check.spec);
  local_faults_.forget(check.local_fault, loop_.now());
  if (check.probe) {
    loop_.cancel(check.probe->timer);
    check.probe.reset();
    probe_ended();
  }
  check = {.generation = check.generation + 1};
  free_checks_.push_back(id);
}

/// A file that has changed is read now, not at the next interval.
void Checkers::on_file(const std::string& path) {
  const auto reads = [&](SpecId spec) {
    const auto* file = std::get_if<File>(&specs_.spec(spec).kind);
    return file != nullptr && file->path == path;
  };
  for (Id id = 0; id < checks_.size(); ++id) {
    if (checks_[id].present && reads(checks_[id].spec)) schedule_.run_now(id, loop_.now());
  }
  arm();
}

void Checkers::apply_suppression(const Key& key, Result& result) const {
  if (result.outcome == Outcome::passed || result.outcome == Outcome::not_run) return;
  const auto found = suppressions_.find(key.target.address);
  if (found == suppressions_.end() || result.began >= found->second.until) return;
  result.outcome = Outcome::not_run;
  result.suppressed = true;
  result.local_fault.clear();
  result.sentence += "; not counted: " + found->second.why;
}

void Checkers::arm() {
  const auto due = schedule_.next_due();
  if (start_timer_ != 0 && due && *due == armed_for_) return;
  loop_.cancel(std::exchange(start_timer_, 0));
  if (!due) return;
  armed_for_ = *due;
  start_timer_ = loop_.at(*due, [this] {
    start_timer_ = 0;
    start_due();
  });
}

void Checkers::start_due() {
  stalls_.look();
  for (int started = 0; started < start_budget; ++started) {
    const auto next = schedule_.take(loop_.now());
    if (!next) break;
    start(next->id, next->due);
  }
  arm();
}

void Checkers::start(Id id, net::Instant due) {
  auto& check = checks_[id];
  const auto generation = ++check.generation;
  const auto& prober = specs_.prober(check.spec);
  const auto& spec = specs_.spec(check.spec);
  const auto timeout = spec.timeout;
  if (const auto* file = std::get_if<File>(&spec.kind)) files_.watch(file->path);
  const auto now = loop_.now();
  auto started = prober.start(loop_, check.target, check.mark, [this, id, generation](Result result) {
    on_probe_done(id, generation, std::move(result));
  });
  if (auto* result = std::get_if<Result>(&started)) {
    result->began = now;
    result->late = now - due;
    return finish(id, std::move(*result));
  }

  check.probe = std::make_unique<Probe>(Probe{.run = std::move(std::get<std::unique_ptr<ProbeRun>>(started)),
                                              .timer = loop_.at(now + timeout, [=, this] { deadline(id, generation); }),
                                              .started = now,
                                              .late = now - due,
                                              .lost_before = stalls_.lost()});
  if (in_flight_++ == 0) stalls_.watch();
}

void Checkers::on_probe_done(Id id, std::uint32_t generation, Result result) {
  stalls_.look();
  if (checks_[id].generation == generation) finish(id, std::move(result));
}

void Checkers::deadline(Id id, std::uint32_t generation) {
  stalls_.look();
  auto& check = checks_[id];
  if (check.generation != generation || !check.probe) return;
  auto& probe = *check.probe;
  const auto timeout = key_of(check).spec.timeout;
  const auto end = probe.started + timeout + (stalls_.lost() - probe.lost_before);
  if (end > loop_.now()) {
    probe.timer = loop_.at(end, [=, this] { deadline(id, generation); });
    return;
  }
  finish(id, probe.run->timed_out(timeout));
}

void Checkers::finish(Id id, Result result) {
  auto& check = checks_[id];
  if (const auto probe = std::move(check.probe)) {
    loop_.cancel(probe->timer);
    result.began = probe->started;
    result.late = probe->late;
    result.took = loop_.now() - probe->started;
    probe_ended();
  }
  schedule_.done(id);
  const auto before = check.health.state;
  const Key& key = key_of(check);
  apply_suppression(key, result);
  check.local_fault = local_faults_.note(check.local_fault, result, loop_.now());
  const auto change = observe(check.health, result, key.spec.thresholds, loop_.now());
  const bool undecided = check.health.streak > 0 || check.health.state == HealthState::unknown;
  schedule_.set_interval(id, interval_for(key.spec, undecided ? HealthChange::pending : HealthChange::none),
                         loop_.now());
  if (schedule_.next_due() < armed_for_) arm();
  // Last, for the report may lead to a call of set(), after which `check` is not to be trusted.
  on_report_({.key = key, .before = before, .after = check.health, .change = change, .result = result});
}

void Checkers::probe_ended() {
  net::check(in_flight_ > 0, "a probe ends once");
  if (--in_flight_ == 0) stalls_.unwatch();
}

}  // namespace checkers
