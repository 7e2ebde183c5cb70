#include "director/resources/resource_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace director {

using Job = ResourceGroup::Resource::Job;
using Kind = ResourceGroup::Action::Kind;

namespace {

bool is_unknown(const ResourceGroup::Resource& resource) { return resource.state == UnitState::unknown; }

bool is_idle(const ResourceGroup::Resource& resource) { return resource.job == Job::none; }

/// It runs, and nothing is under way that would change that.
bool is_up(const ResourceGroup::Resource& resource) { return resource.state == UnitState::active && is_idle(resource); }

}  // namespace

ResourceGroup::Actions ResourceGroup::set(const std::vector<config::Resource>& specs, net::Instant now) {
  std::vector<Resource> next;
  for (const auto& spec : specs) {
    const auto known = std::ranges::find(resources_, spec.unit, [](const Resource& it) { return it.spec.unit; });
    auto& resource = next.emplace_back(known == resources_.end() ? Resource{.spec = spec, .since = now} : *known);
    resource.spec = spec;
  }
  resources_ = std::move(next);
  Actions actions;
  if (!failure_.empty() && leaving_ == Leaving::done) recover(actions);
  advance(actions, now);
  return actions;
}

ResourceGroup::Actions ResourceGroup::gain(net::Instant start_from, net::Instant now) {
  wanted_ = Wanted::started;
  start_from_ = start_from;
  if (failure_.empty() && leaving_ == Leaving::done) leaving_ = Leaving::no;
  Actions actions;
  for (std::size_t i = 0; i < resources_.size(); ++i) {
    auto& resource = resources_[i];
    resource.stop_failed = false;
    resource.not_before = {};
    if (!should_run() || !is_up(resource)) continue;
    resource.ran = true;
    resource.reason = "ran already when this node became master";
    actions.push_back({.kind = Kind::started, .resource = i, .reason = resource.reason});
  }
  advance(actions, now);
  return actions;
}

ResourceGroup::Actions ResourceGroup::lose(net::Instant now) {
  wanted_ = Wanted::stopped;
  for (auto& resource : resources_) resource.ran = false;
  Actions actions;
  advance(actions, now);
  return actions;
}

ResourceGroup::Actions ResourceGroup::leave(net::Instant now) {
  begin_leaving(now);
  Actions actions;
  advance(actions, now);
  return actions;
}

void ResourceGroup::begin_leaving(net::Instant now) {
  leaving_ = Leaving::stopping;
  leave_by_ = now + stop_time();
  recover_at_.reset();
  for (auto& resource : resources_) resource.ran = false;
}

ResourceGroup::Actions ResourceGroup::update(std::size_t resource, UnitState state, net::Instant now) {
  Actions actions;
  note_state(resource, state, actions, now);
  advance(actions, now);
  return actions;
}

void ResourceGroup::note_state(std::size_t index, UnitState state, Actions& actions, net::Instant now) {
  auto& resource = resources_[index];
  seen_ = seen_ || state != UnitState::unknown;
  if (resource.state == state) return;
  resource.state = state;
  resource.since = now;
  resource.reason.clear();
  if (!is_idle(resource) || !should_run()) return;
  if (state == UnitState::active) {
    resource.ran = true;
    resource.reason = "was started by another, or ran already";
    actions.push_back({.kind = Kind::started, .resource = index, .reason = resource.reason});
  } else if (resource.ran && (state == UnitState::inactive || state == UnitState::failed)) {
    note_failure(index, state == UnitState::failed ? "the unit failed" : "the unit was stopped", actions, now);
  }
}

void ResourceGroup::note_failure(std::size_t index, const std::string& why, Actions& actions, net::Instant now) {
  auto& resource = resources_[index];
  resource.ran = false;
  resource.reason = why;
  resource.not_before = now + restart_pause;
  const bool give_up = ++resource.failures > resource.spec.restarts;
  const auto after = give_up
                         ? fmt::format("{}; the master role is given up after {} restarts", why, resource.spec.restarts)
                         : fmt::format("{}; restart {} of {}", why, resource.failures, resource.spec.restarts);
  actions.push_back({.kind = Kind::failed, .resource = index, .reason = after});
  if (!give_up) return;
  failure_ = fmt::format("resource {}: {}", resource.spec.unit, why);
  begin_leaving(now);
}

ResourceGroup::Actions ResourceGroup::end_job(std::size_t index, const std::string& error, UnitState state,
                                              net::Instant now) {
  auto& resource = resources_[index];
  Actions actions;
  const auto job = resource.job;
  note_state(index, state, actions, now);
  resource.job = Job::none;
  if (job == Job::start && should_run()) {
    if (error.empty() && state == UnitState::active) {
      resource.ran = true;
      resource.reason = "started here, where the role is";
      actions.push_back({.kind = Kind::started, .resource = index, .reason = resource.reason});
    } else if (!may_run(state) || !error.empty()) {
      note_failure(index,
                   error.empty() ? "its start was done, but it is not active (a oneshot unit needs RemainAfterExit=yes)"
                                 : "start: " + error,
                   actions, now);
    }
  } else if (job == Job::stop && may_run(state)) {
    resource.stop_failed = true;
    resource.not_before = now + retry_pause;
    resource.reason = error.empty() ? "its stop was done, but it runs" : "stop: " + error;
    actions.push_back({.kind = Kind::failed, .resource = index, .reason = resource.reason});
  } else if (job == Job::stop) {
    resource.reason = should_run() ? "one before it is started again" : "the role is given away, or is elsewhere";
    actions.push_back({.kind = Kind::stopped, .resource = index, .reason = resource.reason});
  }
  advance(actions, now);
  return actions;
}

void ResourceGroup::lose_sight(net::Instant now) {
  for (auto& resource : resources_) {
    if (!is_unknown(resource)) resource.since = now;
    resource.state = UnitState::unknown;
    resource.job = Job::none;
  }
}

ResourceGroup::Actions ResourceGroup::expire(net::Instant now) {
  Actions actions;
  if (recover_at_ && now >= *recover_at_) recover(actions);
  for (std::size_t i = 0; i < resources_.size(); ++i) {
    auto& resource = resources_[i];
    if (!is_idle(resource) && now >= resource.job_by) time_out(i, actions, now);
    if (resource.stop_failed && now >= resource.not_before) resource.stop_failed = false;
    if (is_up(resource) && now >= resource.since + forget_failures_after) resource.failures = 0;
  }
  advance(actions, now);
  return actions;
}

void ResourceGroup::time_out(std::size_t index, Actions& actions, net::Instant now) {
  auto& resource = resources_[index];
  if (resource.job == Job::start) {
    const bool wanted = should_run();
    ask(index, Job::stop, actions, now);
    if (wanted) {
      note_failure(index, fmt::format("did not start within {}", net::to_string(resource.spec.start_limit)), actions,
                   now);
    }
    return;
  }
  resource.job = Job::none;
  resource.stop_failed = true;
  resource.not_before = now + retry_pause;
  resource.reason = fmt::format("did not stop within {}", net::to_string(resource.spec.stop_limit));
  actions.push_back({.kind = Kind::failed, .resource = index, .reason = resource.reason});
}

void ResourceGroup::recover(Actions& actions) {
  recover_at_.reset();
  failure_.clear();
  leaving_ = Leaving::no;
  for (auto& resource : resources_) resource.failures = 0;
  actions.push_back({.kind = Kind::recovered});
}

/// What is to be done next, whatever has happened: it goes by the states alone.
void ResourceGroup::advance(Actions& actions, net::Instant now) {
  if (wanted_ == Wanted::unasked && leaving_ == Leaving::no) return;
  if (should_run()) return start_next(actions, now);
  const bool stopped = stop_next(actions, now);
  if (leaving_ != Leaving::stopping || (!stopped && now < leave_by_)) return;
  leaving_ = Leaving::done;
  if (!failure_.empty()) recover_at_ = now + retry_pause;
  actions.push_back({.kind = Kind::released, .reason = failure_});
}

/// The first that does not run is started; those after it, which were started upon it, are stopped before.
void ResourceGroup::start_next(Actions& actions, net::Instant now) {
  if (std::ranges::any_of(resources_, is_unknown) || !std::ranges::all_of(resources_, is_idle)) return;
  const auto first = std::ranges::find_if_not(resources_, is_up);
  if (first == resources_.end() || now < std::max(start_from_, first->not_before)) return;
  const auto index = static_cast<std::size_t>(first - resources_.begin());
  for (std::size_t later = resources_.size() - 1; later > index; --later) {
    if (may_run(resources_[later].state) && !resources_[later].stop_failed) return ask(later, Job::stop, actions, now);
  }
  ask(index, Job::start, actions, now);
}

/// The last that runs is stopped; whether none does.
bool ResourceGroup::stop_next(Actions& actions, net::Instant now) {
  if (!seen_) return true;
  for (std::size_t i = resources_.size(); i-- > 0;) {
    auto& resource = resources_[i];
    if (resource.job == Job::stop || is_unknown(resource)) return false;
    if (resource.stop_failed) continue;
    if (resource.job == Job::none && !may_run(resource.state)) continue;
    ask(i, Job::stop, actions, now);
    return false;
  }
  return true;
}

void ResourceGroup::ask(std::size_t index, Job job, Actions& actions, net::Instant now) {
  auto& resource = resources_[index];
  const bool starts = job == Job::start;
  resource.job = job;
  resource.job_by = now + (starts ? resource.spec.start_limit : resource.spec.stop_limit);
  if (!starts) resource.ran = false;
  actions.push_back({.kind = starts ? Kind::start : Kind::stop, .resource = index});
}

std::optional<net::Instant> ResourceGroup::deadline() const {
  std::optional<net::Instant> next = recover_at_;
  const auto note = [&](net::Instant at) { next = next ? std::min(*next, at) : at; };
  if (leaving_ == Leaving::stopping) note(leave_by_);
  for (const auto& resource : resources_) {
    if (!is_idle(resource)) note(resource.job_by);
    if (resource.stop_failed) note(resource.not_before);
    if (is_up(resource) && resource.failures > 0) note(resource.since + forget_failures_after);
  }
  const auto first = std::ranges::find_if_not(resources_, is_up);
  const bool waits = should_run() && first != resources_.end() && std::ranges::all_of(resources_, is_idle) &&
                     std::ranges::none_of(resources_, is_unknown);
  if (waits) note(std::max(start_from_, first->not_before));
  return next;
}

std::chrono::milliseconds ResourceGroup::stop_time() const {
  std::chrono::milliseconds sum{};
  for (const auto& resource : resources_) sum += resource.spec.stop_limit;
  return sum;
}

std::string ResourceGroup::problem(const Resource& resource, net::Instant now) const {
  if (wanted_ == Wanted::unasked) return "";
  const auto& unit = resource.spec.unit;
  if (is_unknown(resource)) return fmt::format("the state of resource {} is not known", unit);
  const auto why = resource.reason.empty() ? "" : ": " + resource.reason;
  if (resource.stop_failed) return fmt::format("resource {} runs, but should not{}; it is asked again", unit, why);
  if (wanted_ != Wanted::started) return "";
  if (!failure_.empty()) {
    return failure_.starts_with(fmt::format("resource {}:", unit))
               ? fmt::format("resource {} does not run{}; this node leads only if no other can", unit, why)
               : "";
  }
  if (should_run() && !is_up(resource) && (resource.failures > 0 || now < start_from_)) {
    return now < start_from_ ? fmt::format("resource {} waits {} until the units of the last master must have stopped",
                                           unit, net::to_string(start_from_ - now))
                             : fmt::format("resource {} does not run{}; it is started again", unit, why);
  }
  return "";
}

}  // namespace director
