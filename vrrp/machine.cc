#include "vrrp/machine.h"

#include <algorithm>
#include <utility>

// The order of states and conditions is that of RFC 9568 section 6.4, in the older words master and backup. Where this
// differs from the RFC's letter:
//
// - Priority 0 shortens the Master_Down_Timer to Skew_Time but never lengthens it, so a repeated one holds nobody off.
//   Who is known to be next takes over at once: nobody can be before it.
// - Priority 0 of one that is not the master any more says nothing of its successor: that may speak so soon that its
//   first advert overtakes a farewell, or a repeated one. Nobody's Master_Down_Timer is shortened by it.
// - A master that leaves says priority 0, again and again, and serves until it hears its successor, whose first advert
//   comes after its claim; no longer than any Skew_Time.
// - A master that gives way to another answers it with a last advert of its own: the other may not have heard it
//   before, and announces its addresses again when it knows that there were two. So does one that stood still as
//   master, and listened, when it hears a greater one.
// - A master answers other masters' adverts at once, but only once each Adver_Timer, so that a flood of them is not
//   returned in kind; the regular advert follows within Advertisement_Interval anyhow, with an announcement if there
//   were more of them.
// - The virtual addresses are held by lease. A crashed life may have left them on the interface; they stay until the
//   lease ends or the role is decided: this one becomes master and claims them, or hears a master and yields them.
//   Where they were claimed less than three intervals ago, no backup can have lost patience yet: the new life goes on
//   as master. Where they are still there later than that, it is as one that stood still: whoever took over meanwhile
//   is heard within an interval, and to wait for longer would only let the lease end.
// - Where adverts are unicast, the Master_Down_Timer of a node whose link came up begins when its peers can send to it:
//   until their kernel has resolved its address anew, a master's adverts wait there.
// - A timer that fires late proves that this node stood still, not that nobody spoke. A backup that is late by an
//   interval, and a master that was silent for so long that it may have been replaced, listen for an interval first.
// - A backup that leads as a last resort lets a farewell pass: where nobody better took over by the time that a master
//   waits for its successor, that master stays, unless it stops for good.
// - A backup may be inhibited: its Master_Down_Timer runs out without effect, and it becomes master when that ends.

namespace vrrp {

namespace {

/// A lease is not renewed more often than this.
constexpr Duration between_claims = std::chrono::milliseconds(100);

/// The longest Skew_Time, and a little for timers that are late.
Duration leaving_time(const Config& config) { return config.advertisement_interval * 5 / 4; }

void become_master(const Config& config, Step& step, Instant now) {
  step.next = {.state = RouterState::master,
               .master_adver_interval = config.advertisement_interval,
               .deadline = now + config.advertisement_interval,
               .has_addresses = true,
               .lease_end = now + lease(config),
               .first_interval = true,
               .inhibited = step.next.inhibited,
               .preempt_from = step.next.preempt_from};
  // The addresses first: where they are refused, nobody has been told, and a master that hears us may yield at once.
  step.actions = {Action::claim, Action::advertise, Action::announce};
}

/// The Master_Down_Timer has run out, or there is no need to wait for it.
void take_over(const Config& config, Step& step, Instant now) {
  if (step.next.inhibited) {
    step.next.deadline.reset();
  } else {
    become_master(config, step, now);
  }
}

void become_backup(const Config& config, Step& step, Duration master_adver_interval, Instant now) {
  step.next.state = RouterState::backup;
  step.next.master_adver_interval = master_adver_interval;
  step.next.deadline = now + master_down_interval(config, master_adver_interval);
  step.next.leaving = Leaving::no;
}

void yield(Step& step) {
  if (std::exchange(step.next.has_addresses, false)) step.actions.push_back(Action::yield);
}

void become_initialize(Step& step) {
  yield(step);
  step.next = {.inhibited = step.next.inhibited};
}

/// A master's: it was silent for at least three intervals, and may have been replaced.
bool is_late(const Config& config, const Machine& machine, Instant now) {
  return machine.state == RouterState::master && now - *machine.deadline >= 2 * config.advertisement_interval;
}

/// Hears for a while whether somebody has taken over.
void listen(Step& step, Duration interval, Duration time, Instant now) {
  step.next.state = RouterState::backup;
  step.next.master_adver_interval = interval;
  step.next.deadline = now + time;
  step.next.master_priority = 0;
  step.next.leaving = Leaving::no;
}

void in_initialize(const Config& config, Step& step, const Event& event, Instant now) {
  if (const auto* startup = std::get_if<Startup>(&event)) {
    step.next.preempt_from = now + config.preempt_delay;
    if (startup->claimed && now < *startup->claimed + 3 * config.advertisement_interval) {
      become_master(config, step, now);
    } else if (config.priority == owner_priority) {
      step.next.state = RouterState::backup;
      take_over(config, step, now);
    } else if (startup->claimed) {
      const Duration interval = config.advertisement_interval;
      listen(step, interval, interval + skew_time(config, interval), now);
    } else {
      become_backup(config, step, config.advertisement_interval, std::max(now, startup->audible_from));
    }
  } else if (std::holds_alternative<Shutdown>(event) || std::holds_alternative<Resign>(event)) {
    yield(step);
  }
}

void hear_in_backup(const Config& config, Step& step, const Heard& heard, Instant now) {
  Machine& next = step.next;
  if (heard.priority == 0) {
    if (!next.deadline || heard.overtaken) return;  // without a deadline: inhibited, and overdue already
    if (config.demoted) {
      next.deadline = std::min(*next.deadline, now + next.master_adver_interval * 3 / 2);
      return;
    }
    if (heard.from_master && is_next(config, next.master_priority)) return take_over(config, step, now);
    next.deadline = std::min(*next.deadline, now + skew_time(config, next.master_adver_interval));
    return;
  }
  // Held from before it stood still or was started anew: neighbours may send here as yet.
  if (next.has_addresses && heard.priority > config.priority) step.actions.push_back(Action::advertise);
  yield(step);
  next.master_priority = heard.priority;
  const bool preempts =
      config.priority == owner_priority || (config.preempt_mode && !next.failed_over && now >= next.preempt_from);
  if (!preempts || heard.priority >= config.priority) become_backup(config, step, heard.max_advertise_interval, now);
}

void in_backup(const Config& config, Step& step, const Event& event, Instant now) {
  Machine& next = step.next;
  const auto* resign = std::get_if<Resign>(&event);
  if (std::holds_alternative<Shutdown>(event) || (resign != nullptr && resign->how == Leaving::for_good)) {
    become_initialize(step);
  } else if (std::holds_alternative<Expired>(event)) {
    if (next.deadline && now - *next.deadline > next.master_adver_interval) {
      // Longer than a master that was late with it: where all stood still together, the role stays.
      const Duration interval = next.master_adver_interval;
      listen(step, interval, interval + skew_time(config, interval), now);
      step.late = true;
    } else {
      take_over(config, step, now);
    }
  } else if (std::holds_alternative<Inhibit>(event)) {
    if (next.inhibited) return;
    next.failed_over = false;
    if (!next.deadline) become_master(config, step, now);
  } else if (const auto* heard = std::get_if<Heard>(&event)) {
    hear_in_backup(config, step, *heard, now);
  }
}

/// Renews the lease at every advert, or where adverts are many, not at each; the half interval keeps a timer's jitter
/// from skipping one.
void keep_addresses(const Config& config, Step& step, Instant now) {
  Machine& next = step.next;
  const Instant claimed = next.lease_end - lease(config);
  if (now < claimed + between_claims - config.advertisement_interval / 2) return;
  step.actions.push_back(Action::claim);
  next.lease_end = now + lease(config);
}

void advertise(const Config& config, Step& step, Instant now) {
  Machine& next = step.next;
  step.actions.push_back(Action::advertise);
  keep_addresses(config, step, now);
  *next.deadline += config.advertisement_interval;  // a timer that fires late does not make the next one late too
  if (*next.deadline <= now) next.deadline = now + config.advertisement_interval;
  if (std::exchange(next.contested, false)) step.actions.push_back(Action::announce);
  next.answered = false;
  next.first_interval = false;
}

/// Says priority 0 several times, in case it is lost.
void leave(const Config& config, Step& step, Instant now) {
  Machine& next = step.next;
  if (now < next.leave_by) {
    step.actions.push_back(Action::resign);
    keep_addresses(config, step, now);
    next.deadline = std::min(next.leave_by, now + config.advertisement_interval / 4);
  } else if (next.leaving == Leaving::for_good) {
    become_initialize(step);
  } else {
    next.leaving = Leaving::no;
    advertise(config, step, now);
  }
}

void hear_in_master(const Config& config, Step& step, const Heard& heard, Instant now) {
  Machine& next = step.next;
  const bool leaving = next.leaving != Leaving::no;
  if (heard.priority == 0) {
    if (leaving || std::exchange(next.answered, true)) return;
    step.actions = {Action::advertise};
    next.deadline = now + config.advertisement_interval;
  } else if (next.leaving == Leaving::for_good) {
    become_initialize(step);
  } else if (leaving || heard.priority > config.priority ||
             (heard.priority == config.priority && heard.greater_address)) {
    next.failed_over = leaving;
    next.master_priority = heard.priority;
    become_backup(config, step, heard.max_advertise_interval, now);
    if (!leaving) step.actions.push_back(Action::advertise);
    yield(step);
  } else {
    if (std::exchange(next.answered, true)) {
      next.contested = true;
      return;
    }
    next.lease_end = now + lease(config);
    step.actions = {Action::advertise, Action::claim, Action::announce};
  }
}

void in_master(const Config& config, Step& step, const Event& event, Instant now) {
  Machine& next = step.next;
  if (std::holds_alternative<Shutdown>(event)) {
    // In the first interval its claim may have been refused before anybody was told of it.
    if (!next.first_interval) step.actions.push_back(Action::resign);
    become_initialize(step);
  } else if (const auto* resign = std::get_if<Resign>(&event)) {
    next.leaving = resign->how;
    // Without a peer there is nobody to wait for.
    next.leave_by = config.peer_priorities.empty() ? now : now + leaving_time(config);
    if (config.peer_priorities.empty()) step.actions.push_back(Action::resign);
    leave(config, step, now);
  } else if (std::holds_alternative<Reconfigured>(event)) {
    if (next.leaving != Leaving::no) return;
    next.deadline = now;
    next.lease_end = now + lease(config) - between_claims;
    advertise(config, step, now);
    step.actions.push_back(Action::announce);
  } else if (std::holds_alternative<Expired>(event)) {
    if (next.leaving != Leaving::no) {
      leave(config, step, now);
    } else {
      advertise(config, step, now);
    }
  } else if (const auto* heard = std::get_if<Heard>(&event)) {
    hear_in_master(config, step, *heard, now);
  }
}

}  // namespace

std::string_view to_string(RouterState state) {
  switch (state) {
    case RouterState::initialize:
      return "initialize";
    case RouterState::backup:
      return "backup";
    case RouterState::master:
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
  if (const auto* inhibit = std::get_if<Inhibit>(&event)) step.next.inhibited = inhibit->inhibited;
  const bool timed = std::holds_alternative<Expired>(event) || std::holds_alternative<Heard>(event);
  if (timed && is_late(config, machine, now)) {
    if (machine.leaving == Leaving::for_good) {  // it has waited for its successor long enough
      become_initialize(step);
      return step;
    }
    listen(step, config.advertisement_interval, config.advertisement_interval, now);
    step.late = true;
    if (const auto* heard = std::get_if<Heard>(&event)) hear_in_backup(config, step, *heard, now);
    return step;
  }
  switch (machine.state) {
    case RouterState::initialize:
      in_initialize(config, step, event, now);
      break;
    case RouterState::backup:
      in_backup(config, step, event, now);
      break;
    case RouterState::master:
      in_master(config, step, event, now);
      break;
  }
  return step;
}

Duration skew_time(const Config& config, Duration master_adver_interval) {
  const Duration unit = config.version == 2 ? std::chrono::seconds(1) : master_adver_interval;
  return (256 - config.priority) * unit / 256;
}

Duration master_down_interval(const Config& config, Duration master_adver_interval) {
  return 3 * master_adver_interval + skew_time(config, master_adver_interval);
}

bool is_next(const Config& config, std::uint8_t master_priority) {
  // The one that leaves is among the peers, once; where it speaks with another priority than the file's, only a cluster
  // of two knows who it is.
  auto others = config.peer_priorities;
  const auto master = std::ranges::find(others, master_priority);
  if (master != others.end()) {
    others.erase(master);
  } else if (others.size() == 1) {
    others.clear();
  }
  return !config.peer_priorities.empty() && master_priority != 0 &&
         std::ranges::all_of(others, [&](std::uint8_t other) { return other < config.priority; });
}

std::chrono::seconds lease(const Config& config) {
  return std::chrono::ceil<std::chrono::seconds>(4 * config.advertisement_interval);
}

}  // namespace vrrp
