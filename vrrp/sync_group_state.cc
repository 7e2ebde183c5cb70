#include "vrrp/sync_group_state.h"

#include <algorithm>
#include <ranges>
#include <utility>

// A group is one machine with several links, not several machines that are kept in step: so it cannot be split, not
// even for a moment. Adverts leave by every link, and an advert heard on any link counts as heard.
//
// A link that is known to be down (no carrier, interface gone) faults the whole group: it resigns, with priority 0 on
// the links that are left, and the peer takes all of it after its Skew_Time. It starts anew when every link is up.
//
// A link that is silently unplugged (carrier stays, nothing arrives) is heard of on the other links only. Neither side
// can tell which of the two is the broken one, and a backup that took over would be contradicted at once by the adverts
// on the good link: the two would flap, or split the group. So the master keeps the group while any one of its adverts
// arrives anywhere. Who has lost what must be found out by someone who can: carrier, or a tracker that asks a third.
//
// Where the kernel refuses the addresses, no member takes part: half of a group is of no use. It gives up what it has,
// and tries again later, each time as a backup that waits for its turn.
//
// Equal priorities are decided by the greater address, and the order of two nodes' addresses may differ from link to
// link: if each link decided, both nodes might yield, for ever. So the first link in the group's order decides, and
// another only when it alone has been carrying adverts for a while.

namespace vrrp {

namespace {

Duration slowest_interval(const Config& config, const Machine& machine) {
  return std::max<Duration>(config.advertisement_interval, machine.master_adver_interval);
}

/// Long enough for two nodes that have both yielded, and both taken over again.
Duration heard_timeout(const Config& config, const Machine& machine) {
  return 2 * master_down_interval(config, slowest_interval(config, machine));
}

/// Whether anybody has spoken as master within the last interval.
bool has_master(const Config& config, const SyncGroupState& group, Instant now) {
  return std::ranges::any_of(group.members, [&](const MemberState& member) {
    return member.last_master_at && now - *member.last_master_at < slowest_interval(config, group.machine);
  });
}

/// Notes an advert on its link, and whether its sender is the one that spoke for the master before: another link may
/// have told of a new master meanwhile.
void record_heard(const Config& config, SyncGroupState& group, MemberHeard& heard, Instant now) {
  MemberState& member = group.members[heard.member];
  if (!member.heard || now - *member.heard > heard_timeout(config, group.machine)) member.heard_since = now;
  member.heard = now;
  heard.advert.from_master =
      member.last_master == heard.source && member.last_master_priority == group.machine.master_priority;
  if (heard.advert.priority == 0) {
    heard.advert.overtaken =
        !heard.advert.from_master && group.machine.master_priority != 0 && has_master(config, group, now);
    return;
  }
  member.last_master_at = now;
  member.last_master = heard.source;
  member.last_master_priority = heard.advert.priority;
}

bool decides_tie(const Config& config, const SyncGroupState& group, std::size_t index, Instant now) {
  if (index == 0) return true;
  const auto silent = [&](const MemberState& member) {
    return !member.heard || now - *member.heard > heard_timeout(config, group.machine);
  };
  return std::ranges::all_of(group.members | std::views::take(index), silent) &&
         now - group.members[index].heard_since > 2 * slowest_interval(config, group.machine);
}

void run_machine(const Config& config, SyncGroupStep& step, const Event& event, Instant now) {
  Step machine_step = vrrp::step(config, step.next.machine, event, now);
  step.next.machine = machine_step.next;
  std::ranges::move(machine_step.actions, std::back_inserter(step.actions));
  step.late = machine_step.late;
}

/// Takes part while it runs and nothing is in its way. What is in its way ends its part at once; a stop waits for a
/// successor.
void update_participation(const Config& config, SyncGroupStep& step, std::optional<Instant> claimed, Instant now) {
  const SyncGroupState& group = step.next;
  const bool able = !group.faulted && !group.retry_at && !group.broken_link();
  if (!able) {
    run_machine(config, step, Shutdown{}, now);
  } else if (group.running && group.machine.state == RouterState::initialize) {
    Instant audible_from{};
    for (const MemberState& member : group.members) audible_from = std::max(audible_from, member.audible_from);
    run_machine(config, step, Startup{.claimed = claimed, .audible_from = audible_from}, now);
  } else if (!group.running && group.machine.leaving != Leaving::for_good) {
    run_machine(config, step, Resign{.how = Leaving::for_good}, now);
  }
}

void on_claim_failed(const Config& config, SyncGroupStep& step, Instant now) {
  step.next.retry_at = now + retry_delay(++step.next.claim_failures);
  update_participation(config, step, {}, now);
}

void on_timer(const Config& config, SyncGroupStep& step, Instant now) {
  SyncGroupState& group = step.next;
  if (std::exchange(group.retry_at, std::nullopt)) return update_participation(config, step, {}, now);
  if (group.machine.state == RouterState::master)
    group.claim_failures = 0;  // its claims have been good for an interval
  run_machine(config, step, Expired{}, now);
}

}  // namespace

std::optional<std::size_t> SyncGroupState::broken_link() const {
  const auto down = std::ranges::find(members, false, &MemberState::link_up);
  if (down == members.end()) return std::nullopt;
  return static_cast<std::size_t>(down - members.begin());
}

SyncGroupStep step(const Config& config, const SyncGroupState& group, const SyncGroupEvent& event, Instant now) {
  SyncGroupStep step{.next = group, .actions = {}};
  if (const auto* start = std::get_if<Start>(&event)) {
    step.next.running = true;
    update_participation(config, step, start->claimed, now);
  } else if (std::holds_alternative<Stop>(event)) {
    step.next.running = false;
    update_participation(config, step, {}, now);
  } else if (std::holds_alternative<HandOver>(event)) {
    const bool may = group.machine.state == RouterState::master && group.machine.leaving == Leaving::no &&
                     !config.peer_priorities.empty();
    if (may) run_machine(config, step, Resign{.how = Leaving::to_backup}, now);
  } else if (const auto* link = std::get_if<LinkChanged>(&event)) {
    MemberState& member = step.next.members[link->member];
    if (link->up && !member.link_up) member.audible_from = now + config.resolution_time;
    member.link_up = link->up;
    update_participation(config, step, {}, now);
  } else if (const auto* fault = std::get_if<Fault>(&event)) {
    step.next.faulted = fault->faulted;
    update_participation(config, step, {}, now);
  } else if (std::holds_alternative<ClaimFailed>(event)) {
    on_claim_failed(config, step, now);
  } else if (const auto* heard = std::get_if<MemberHeard>(&event)) {
    MemberHeard noted = *heard;
    record_heard(config, step.next, noted, now);
    const bool tie = group.machine.state == RouterState::master && group.machine.leaving == Leaving::no &&
                     noted.advert.priority == config.priority;
    if (!tie || decides_tie(config, step.next, noted.member, now)) run_machine(config, step, noted.advert, now);
  } else if (const auto* inhibit = std::get_if<Inhibit>(&event)) {
    run_machine(config, step, *inhibit, now);
  } else if (std::holds_alternative<Reconfigured>(event)) {
    run_machine(config, step, Reconfigured{}, now);
  } else {
    on_timer(config, step, now);
  }
  return step;
}

std::chrono::seconds retry_delay(int claim_failures) {
  constexpr int doublings_max = 5;
  return std::min(std::chrono::seconds(1) * (1 << std::min(std::max(claim_failures, 1) - 1, doublings_max)),
                  std::chrono::seconds(30));
}

}  // namespace vrrp
