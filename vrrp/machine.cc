#include "vrrp/machine.h"

#include <algorithm>
#include <utility>

// The order of states and conditions is that of RFC 9568 section 6.4, in the older words master and backup. Where this
// differs from the RFC's letter:
//
// - Priority 0 shortens the Master_Down_Timer to Skew_Time but never lengthens it, so a repeated one holds nobody off.
// - A master answers other masters' adverts at once, but only once each Adver_Timer, so that a flood of them is not
//   returned in kind; the regular advert follows within Advertisement_Interval anyhow.
// - The virtual addresses are held by lease. A crashed life may have left them on the interface; they stay until the
//   lease ends or the role is decided: this one becomes master and claims them, or hears a master and yields them.

namespace vrrp {

namespace {

void become_master(const Config& config, Step& step, Instant now) {
  step.next = {.state = State::master,
               .master_adver_interval = config.advertisement_interval,
               .deadline = now + config.advertisement_interval,
               .holding = true,
               .lease_end = now + lease(config)};
  step.actions = {Action::advertise, Action::claim, Action::announce};
}

void become_backup(const Config& config, Step& step, Duration master_adver_interval, Instant now) {
  step.next.state = State::backup;
  step.next.master_adver_interval = master_adver_interval;
  step.next.deadline = now + master_down_interval(config, master_adver_interval);
}

void yield(Step& step) {
  if (std::exchange(step.next.holding, false)) step.actions.push_back(Action::yield);
}

void become_initialize(Step& step) {
  step.next.state = State::initialize;
  step.next.deadline.reset();
  yield(step);
}

void in_initialize(const Config& config, Step& step, const Event& event, Instant now) {
  if (std::holds_alternative<Startup>(event)) {
    if (config.priority == owner_priority) {
      become_master(config, step, now);
    } else {
      become_backup(config, step, config.advertisement_interval, now);
    }
  } else if (std::holds_alternative<Shutdown>(event)) {
    yield(step);
  }
}

void in_backup(const Config& config, Step& step, const Event& event, Instant now) {
  Machine& next = step.next;
  if (std::holds_alternative<Shutdown>(event)) {
    become_initialize(step);
  } else if (std::holds_alternative<Expired>(event)) {
    become_master(config, step, now);
  } else if (const auto* heard = std::get_if<Heard>(&event)) {
    if (heard->priority == 0) {
      next.deadline = std::min(*next.deadline, now + skew_time(config, next.master_adver_interval));
      return;
    }
    yield(step);
    if (!config.preempt_mode || heard->priority >= config.priority) {
      become_backup(config, step, heard->max_advertise_interval, now);
    }
  }
}

/// Renews the lease when a quarter of it has passed, or at every advert where adverts are further apart; the half
/// interval keeps a timer's jitter from skipping one.
void keep_addresses(const Config& config, Step& step, Instant now) {
  Machine& next = step.next;
  const Duration unused = Duration(lease(config)) * 3 / 4;
  if (now < next.lease_end - unused - config.advertisement_interval / 2) return;
  step.actions.push_back(Action::claim);
  if (now >= next.lease_end) step.actions.push_back(Action::announce);  // stalled so long that the kernel dropped them
  next.lease_end = now + lease(config);
}

void in_master(const Config& config, Step& step, const Event& event, Instant now) {
  Machine& next = step.next;
  if (std::holds_alternative<Shutdown>(event)) {
    step.actions.push_back(Action::resign);
    become_initialize(step);
  } else if (std::holds_alternative<Expired>(event)) {
    step.actions.push_back(Action::advertise);
    keep_addresses(config, step, now);
    *next.deadline += config.advertisement_interval;  // a timer that fires late does not make the next one late too
    if (*next.deadline <= now) next.deadline = now + config.advertisement_interval;
    next.asserted = false;
  } else if (const auto* heard = std::get_if<Heard>(&event)) {
    if (heard->priority == 0) {
      if (std::exchange(next.asserted, true)) return;
      step.actions = {Action::advertise};
      next.deadline = now + config.advertisement_interval;
    } else if (heard->priority > config.priority || (heard->priority == config.priority && heard->greater_address)) {
      become_backup(config, step, heard->max_advertise_interval, now);
      yield(step);
    } else {
      if (std::exchange(next.asserted, true)) return;
      next.lease_end = now + lease(config);
      step.actions = {Action::advertise, Action::claim, Action::announce};
    }
  }
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::initialize:
      return "initialize";
    case State::backup:
      return "backup";
    case State::master:
      return "master";
  }
  std::unreachable();
}

std::string_view to_string(Action action) {
  switch (action) {
    case Action::advertise:
      return "advertise";
    case Action::resign:
      return "resign";
    case Action::claim:
      return "claim";
    case Action::announce:
      return "announce";
    case Action::yield:
      return "yield";
  }
  std::unreachable();
}

Step step(const Config& config, const Machine& machine, const Event& event, Instant now) {
  Step step{.next = machine, .actions = {}};
  switch (machine.state) {
    case State::initialize:
      in_initialize(config, step, event, now);
      break;
    case State::backup:
      in_backup(config, step, event, now);
      break;
    case State::master:
      in_master(config, step, event, now);
      break;
  }
  return step;
}

Duration skew_time(const Config& config, Duration master_adver_interval) {
  return (256 - config.priority) * master_adver_interval / 256;
}

Duration master_down_interval(const Config& config, Duration master_adver_interval) {
  return 3 * master_adver_interval + skew_time(config, master_adver_interval);
}

std::chrono::seconds lease(const Config& config) {
  return std::chrono::ceil<std::chrono::seconds>(4 * config.advertisement_interval);
}

}  // namespace vrrp
