#include "vrrp/group.h"

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
// Equal priorities are decided by the greater address, and the order of two nodes' addresses may differ from link to
// link: if each link decided, both nodes might yield, for ever. So the first link in the group's order decides, and
// another only when it alone has been carrying adverts for a while.

namespace vrrp {

namespace {

Duration slowest_interval(const Config& config, const Machine& machine) {
  return std::max<Duration>(config.advertisement_interval, machine.master_adver_interval);
}

/// Long enough to be remembered by two nodes that have both yielded, and both taken over again.
Duration memory(const Config& config, const Machine& machine) {
  return 2 * master_down_interval(config, slowest_interval(config, machine));
}

void remember(const Config& config, Group& group, std::size_t index, Instant now) {
  Member& member = group.members[index];
  if (!member.heard || now - *member.heard > memory(config, group.machine)) member.heard_since = now;
  member.heard = now;
}

bool decides_tie(const Config& config, const Group& group, std::size_t index, Instant now) {
  if (index == 0) return true;
  const auto silent = [&](const Member& member) {
    return !member.heard || now - *member.heard > memory(config, group.machine);
  };
  return std::ranges::all_of(group.members | std::views::take(index), silent) &&
         now - group.members[index].heard_since > 2 * slowest_interval(config, group.machine);
}

void apply(const Config& config, GroupStep& step, const Event& event, Instant now) {
  Step machine_step = vrrp::step(config, step.next.machine, event, now);
  step.next.machine = machine_step.next;
  step.actions = std::move(machine_step.actions);
}

/// Takes part while it runs and every link is up.
void take_part(const Config& config, GroupStep& step, Instant now) {
  const bool able = step.next.running && !step.next.fault();
  const bool taking_part = step.next.machine.state != State::initialize;
  if (able && !taking_part) {
    apply(config, step, Startup{}, now);
  } else if (!able) {
    apply(config, step, Shutdown{}, now);
  }
}

}  // namespace

std::optional<std::size_t> Group::fault() const {
  const auto down = std::ranges::find(members, false, &Member::link_up);
  if (down == members.end()) return std::nullopt;
  return static_cast<std::size_t>(down - members.begin());
}

GroupStep step(const Config& config, const Group& group, const GroupEvent& event, Instant now) {
  GroupStep step{.next = group, .actions = {}};
  if (std::holds_alternative<Start>(event)) {
    step.next.running = true;
    take_part(config, step, now);
  } else if (std::holds_alternative<Stop>(event)) {
    step.next.running = false;
    take_part(config, step, now);
  } else if (const auto* link = std::get_if<LinkChanged>(&event)) {
    step.next.members[link->member].link_up = link->up;
    take_part(config, step, now);
  } else if (const auto* heard = std::get_if<MemberHeard>(&event)) {
    remember(config, step.next, heard->member, now);
    const bool tie = group.machine.state == State::master && heard->advert.priority == config.priority;
    if (!tie || decides_tie(config, step.next, heard->member, now)) apply(config, step, heard->advert, now);
  } else {
    apply(config, step, Expired{}, now);
  }
  return step;
}

}  // namespace vrrp
