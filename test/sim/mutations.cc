#include "test/sim/mutations.h"

#include <algorithm>

namespace sim {

namespace {

using vrrp::Action;
using vrrp::Config;
using vrrp::Expired;
using vrrp::LinkChanged;
using vrrp::MemberHeard;
using vrrp::RouterState;
using vrrp::SyncGroupEvent;
using vrrp::SyncGroupState;
using vrrp::SyncGroupStep;

const MemberHeard* heard_in(RouterState state, const SyncGroupState& group, const SyncGroupEvent& event) {
  return group.machine.state == state ? std::get_if<MemberHeard>(&event) : nullptr;
}

/// The step, then `change(step, group, event, config)`.
Mutation after(std::string rule, auto change) {
  return {
      .rule = std::move(rule),
      .step = [change](const Config& config, const SyncGroupState& group, const SyncGroupEvent& event, Instant now) {
        SyncGroupStep step = vrrp::step(config, group, event, now);
        change(step, group, event, config);
        return step;
      }};
}

/// The step with other parameters or another event: `change(config, group, event)`.
Mutation before(std::string rule, auto change) {
  return {.rule = std::move(rule),
          .step = [change](Config config, const SyncGroupState& group, SyncGroupEvent event, Instant now) {
            change(config, group, event);
            return vrrp::step(config, group, event, now);
          }};
}

/// No step at all when `deaf(group, event, config)`.
Mutation ignoring(std::string rule, auto deaf) {
  return {.rule = std::move(rule),
          .step = [deaf](const Config& config, const SyncGroupState& group, const SyncGroupEvent& event, Instant now) {
            if (deaf(group, event, config)) return SyncGroupStep{.next = group, .actions = {}};
            return vrrp::step(config, group, event, now);
          }};
}

/// `action` happens only where `performs(link)`.
Mutation without(std::string rule, Action action, auto performs) {
  return {.rule = std::move(rule),
          .performs = [=](Action a, std::size_t link) { return a != action || performs(link); }};
}

void add_backup_rules(std::vector<Mutation>& all) {
  all.push_back(ignoring("a backup follows the master's adverts", [](auto& group, auto& event, auto&) {
    const auto* heard = heard_in(RouterState::backup, group, event);
    return heard != nullptr && heard->advert.priority != 0;
  }));
  all.push_back(ignoring("a backup minds priority 0", [](auto& group, auto& event, auto&) {
    const auto* heard = heard_in(RouterState::backup, group, event);
    return heard != nullptr && heard->advert.priority == 0;
  }));
  all.push_back(before("a preempting backup discards lower priorities", [](Config& config, auto& group, auto& event) {
    if (heard_in(RouterState::backup, group, event) != nullptr) config.preempt_mode = false;
  }));
  all.push_back(before("preempt off: a backup follows lower priorities",
                       [](Config& config, auto&, auto&) { config.preempt_mode = true; }));
  all.push_back(before("a backup learns the master's interval", [](Config& config, auto&, SyncGroupEvent& event) {
    if (auto* heard = std::get_if<MemberHeard>(&event)) {
      heard->advert.max_advertise_interval = config.advertisement_interval;
    }
  }));
  all.push_back(after("Master_Down_Interval is three intervals", [](SyncGroupStep& step, auto& group, auto&, auto&) {
    const auto& machine = step.next.machine;
    if (machine.state != RouterState::backup || machine.deadline == group.machine.deadline) return;
    *step.next.machine.deadline += 3 * machine.master_adver_interval;
  }));
  all.push_back(
      after("the skew belongs to Master_Down_Interval", [](SyncGroupStep& step, auto& group, auto&, auto& config) {
        if (step.next.machine.state != RouterState::backup || step.next.machine.deadline == group.machine.deadline)
          return;
        *step.next.machine.deadline -= skew_time(config, step.next.machine.master_adver_interval);
      }));
  all.push_back(after("a backup that hears a master gives up stale addresses",
                      [](SyncGroupStep& step, auto&, auto& event, auto&) {
                        if (std::holds_alternative<vrrp::Start>(event)) step.next.machine.has_addresses = false;
                      }));
}

void add_master_rules(std::vector<Mutation>& all) {
  all.push_back(ignoring("a master yields to a higher priority", [](auto& group, auto& event, auto& config) {
    const auto* heard = heard_in(RouterState::master, group, event);
    return heard != nullptr && heard->advert.priority > config.priority;
  }));
  all.push_back(
      ignoring("a master yields to its equal with the greater address", [](auto& group, auto& event, auto& config) {
        const auto* heard = heard_in(RouterState::master, group, event);
        return heard != nullptr && heard->advert.priority == config.priority;
      }));
  all.push_back(before("a master does not yield to its equal with the lesser address",
                       [](auto&, auto& group, SyncGroupEvent& event) {
                         if (heard_in(RouterState::master, group, event) == nullptr) return;
                         std::get<MemberHeard>(event).advert.greater_address = true;
                       }));
  all.push_back(
      before("a master does not yield to a lower priority", [](Config& config, auto& group, SyncGroupEvent& event) {
        if (heard_in(RouterState::master, group, event) != nullptr) config.priority = 1;
      }));
  all.push_back(after("a master advertises", [](SyncGroupStep& step, auto&, auto& event, auto&) {
    if (std::holds_alternative<Expired>(event)) std::erase(step.actions, Action::advertise);
  }));
  all.push_back(
      after("a master advertises at every interval", [](SyncGroupStep& step, auto& group, auto&, auto& config) {
        if (step.next.machine.state == RouterState::master && step.next.machine.deadline != group.machine.deadline) {
          *step.next.machine.deadline += 4 * config.advertisement_interval;
        }
      }));
  all.push_back(after("a master renews its lease", [](SyncGroupStep& step, auto& group, auto&, auto&) {
    if (group.machine.state == RouterState::master) std::erase(step.actions, Action::claim);
  }));
  all.push_back(
      after("a master that steps down yields its addresses", [](SyncGroupStep& step, auto&, auto& event, auto&) {
        if (std::holds_alternative<MemberHeard>(event)) std::erase(step.actions, Action::yield);
      }));
  all.push_back(after("a master that gives way says so", [](SyncGroupStep& step, auto& group, auto&, auto&) {
    if (group.machine.state == RouterState::master && step.next.machine.state == RouterState::backup) {
      std::erase(step.actions, Action::advertise);
    }
  }));
  all.push_back(after("a master that hears a lesser one announces again",
                      [](SyncGroupStep& step, auto& group, auto& event, auto&) {
                        if (heard_in(RouterState::master, group, event) != nullptr)
                          std::erase(step.actions, Action::announce);
                      }));
  all.push_back(
      after("a master that heard several announces again", [](SyncGroupStep& step, auto& group, auto& event, auto&) {
        const bool timer = group.machine.state == RouterState::master && std::holds_alternative<Expired>(event);
        if (timer) std::erase(step.actions, Action::announce);
      }));
  all.push_back(after("a master that stops resigns",
                      [](SyncGroupStep& step, auto&, auto&, auto&) { std::erase(step.actions, Action::resign); }));
  all.push_back(before("only the owner starts as master", [](Config& config, auto& group, auto&) {
    if (group.machine.state == RouterState::initialize) config.priority = vrrp::owner_priority;
  }));
}

void add_group_rules(std::vector<Mutation>& all) {
  all.push_back(ignoring("a link down faults the group", [](auto&, auto& event, auto&) {
    const auto* link = std::get_if<LinkChanged>(&event);
    return link != nullptr && !link->up;
  }));
  all.push_back(ignoring("a group starts again when its links are up", [](auto&, auto& event, auto&) {
    const auto* link = std::get_if<LinkChanged>(&event);
    return link != nullptr && link->up;
  }));
  const auto first_only = [](std::size_t link) { return link == 0; };
  all.push_back(without("every link's addresses are claimed", Action::claim, first_only));
  all.push_back(without("every link's addresses are yielded", Action::yield, first_only));
  all.push_back(without("a group that lost its first link resigns on the others", Action::resign, first_only));
  all.push_back(ignoring("an advert on any link counts", [](auto&, auto& event, auto&) {
    const auto* heard = std::get_if<MemberHeard>(&event);
    return heard != nullptr && heard->member != 0 && heard->advert.priority == 0;
  }));
}

void add_rules_of_our_own(std::vector<Mutation>& all) {
  all.push_back({.rule = "a timer that comes too late is not believed",
                 .step = [](const Config& config, SyncGroupState group, const SyncGroupEvent& event, Instant now) {
                   if (group.machine.deadline) group.machine.deadline = std::max(*group.machine.deadline, now);
                   return vrrp::step(config, group, event, now);
                 }});
  all.push_back({.rule = "one that is held does not become master",
                 .step = [](const Config& config, SyncGroupState group, const SyncGroupEvent& event, Instant now) {
                   group.machine.inhibited = false;
                   return vrrp::step(config, group, event, now);
                 }});
  all.push_back(after("a master that stops serves until it hears its successor",
                      [](SyncGroupStep& step, auto&, auto& event, auto&) {
                        if (!std::holds_alternative<vrrp::Stop>(event)) return;
                        step.next.machine = {};
                        step.actions = {Action::resign, Action::yield};
                      }));
  all.push_back(after("what the operator gave away is not taken back",
                      [](SyncGroupStep& step, auto&, auto&, auto&) { step.next.machine.failed_over = false; }));
  all.push_back(before("a new life that comes too late does not go on", [](auto&, auto& group, SyncGroupEvent& event) {
    if (auto* start = std::get_if<vrrp::Start>(&event); start != nullptr && group.machine.has_addresses) {
      start->claimed = Instant::max() - std::chrono::hours(24 * 365);
    }
  }));
  all.push_back(
      after("a new life that comes too late listens first", [](SyncGroupStep& step, auto&, auto& event, auto& config) {
        const auto* start = std::get_if<vrrp::Start>(&event);
        if (start != nullptr && start->claimed && step.next.machine.state == RouterState::backup) {
          *step.next.machine.deadline -= config.advertisement_interval;
        }
      }));
  all.push_back(before("a new life that comes in time goes on", [](auto&, auto&, SyncGroupEvent& event) {
    if (auto* start = std::get_if<vrrp::Start>(&event)) start->claimed.reset();
  }));
  all.push_back(ignoring("a refused claim gives the role up",
                         [](auto&, auto& event, auto&) { return std::holds_alternative<vrrp::ClaimFailed>(event); }));
  all.push_back(after("addresses are claimed before others are told", [](SyncGroupStep& step, auto&, auto&, auto&) {
    const auto claim = std::ranges::find(step.actions, Action::claim);
    if (claim != step.actions.end()) std::rotate(claim, claim + 1, step.actions.end());
  }));
  all.push_back(
      after("one that gave up leads where nobody else does", [](SyncGroupStep& step, auto&, auto&, auto& config) {
        if (config.demoted && step.next.machine.state == RouterState::backup) step.next.machine.deadline.reset();
      }));
  all.push_back(before("who is next takes over at once", [](Config& config, auto& group, auto& event) {
    if (heard_in(RouterState::backup, group, event) != nullptr) config.peer_priorities.clear();
  }));
  all.push_back(before("who is not next waits its skew", [](Config& config, auto& group, auto& event) {
    if (heard_in(RouterState::backup, group, event) != nullptr)
      config.peer_priorities = {group.machine.master_priority};
  }));
  all.push_back(ignoring("what is of no use gives its role up", [](auto&, auto& event, auto&) {
    const auto* fault = std::get_if<vrrp::Fault>(&event);
    return fault != nullptr && fault->faulted;
  }));
  all.push_back(before("nobody is preempted before the delay is over",
                       [](Config& config, auto&, auto&) { config.preempt_delay = {}; }));
}

}  // namespace

std::vector<Mutation> mutations() {
  std::vector<Mutation> all;
  add_backup_rules(all);
  add_master_rules(all);
  add_group_rules(all);
  add_rules_of_our_own(all);
  return all;
}

}  // namespace sim
