// What a sync group is made of, and what is said to it.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/host.h"
#include "vrrp/sync_group.h"

namespace vrrp {

namespace {

/// A kernel asks for a neighbour's Ethernet address each second while packets wait for it (RetransTimer, RFC 4861
/// section 10; Linux does the same in ARP): within this, a peer asks at least once after our link is up.
constexpr Duration neighbour_retransmission = std::chrono::seconds(1);

}  // namespace

SyncGroup::DetachedMembers SyncGroup::detach_members() {
  DetachedMembers detached;
  for (std::size_t i = 0; i < members_.size(); ++i) detached.known[members_[i].get()] = group_.members[i];
  detached.routers = std::exchange(members_, {});
  group_.members.clear();
  return detached;
}

void SyncGroup::attach_members(Members members, const std::map<const GroupRouter*, MemberState>& known) {
  members_ = std::move(members);
  group_.members.clear();
  for (const auto& member : members_) {
    member->group = this;
    const auto found = known.find(member.get());
    group_.members.push_back(found == known.end() ? MemberState{} : found->second);
  }
}

void SyncGroup::refresh(GroupRouter& it) {
  auto refreshed = it.router.refresh(*context_.links, context_.sysctls, context_.virtual_addresses,
                                     [&it] { it.group->on_packets(it); });
  std::ignore = record_result(it, Operation::separate, std::move(refreshed));
}

/// Addresses, or routes, which may outlive them.
bool SyncGroup::has_addresses_or_routes(const GroupRouter& it) const {
  if (it.router.has_any_address() || it.router.spec().routes.empty()) return it.router.has_any_address();
  const auto own = context_.host.own_routes();
  const auto routes = it.router.routes(*context_.links);
  return own && std::ranges::find_first_of(*own, routes) != own->end();
}

/// The addresses of an earlier life stay until the role is decided, which it is where nobody else can have it yet.
void SyncGroup::start() {
  config_ = config();
  since_ = context_.loop.now();
  reason_ = "starting";
  group_.machine.inhibited = !context_.inhibit_reason.empty();
  group_.faulted = !reason_of(&Conditions::fault).empty();
  std::optional<Instant> claimed = Instant::max();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    GroupRouter& it = *members_[i];
    refresh(it);
    group_.members[i].link_up = it.router.fault().empty();
    group_.machine.has_addresses |= has_addresses_or_routes(it);
    const auto since = it.router.claimed(lease(config_));
    claimed = claimed && since ? std::optional(std::min(*claimed, *since)) : std::nullopt;
  }
  process(Start{.claimed = claimed}, [&] {
    if (!claimed) return std::string("started");
    const auto ago = std::chrono::ceil<std::chrono::milliseconds>(context_.loop.now() - *claimed);
    const bool listens = context_.loop.now() >= *claimed + 3 * config_.advertisement_interval;
    return fmt::format("started; the previous process renewed the addresses {} ago{}", net::to_string(ago),
                       listens ? ": another node may have taken over, listening first" : "");
  });
  // No transition tells of a router that never left initialize.
  for (const auto& member : members_) report_fault(*member);
}

void SyncGroup::report_fault(const GroupRouter& it) {
  if (it.router.fault().empty()) return;
  context_.listener.on_notice(it.router.spec().name,
                              {.kind = Notice::Kind::fault, .text = "cannot take part: " + it.router.fault()});
}

void SyncGroup::reconfigure(const std::vector<Spec>& specs, bool others) {
  bool different = others;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Router& router = members_[i]->router;
    different |= router.spec() != specs[i];
    std::ignore = record_result(*members_[i], Operation::yield, router.change(specs[i]));
  }
  config_ = config();
  std::vector<LinkChanged> changed;  // told when all are known: a newcomer is not down before it was looked at
  for (std::size_t i = 0; i < members_.size(); ++i) {
    refresh(*members_[i]);
    const bool up = members_[i]->router.fault().empty();
    if (std::exchange(group_.members[i].link_up, up) != up) changed.push_back({.member = i, .up = up});
  }
  apply_fault();  // of a router that came, or that left
  for (const auto& link : changed) {
    process(link, [&] {
      const std::string& fault = members_[link.member]->router.fault();
      return fault.empty() ? std::string("all links are up") : fault;
    });
  }
  if (!different) return;
  // A router that came from a group which was master brings its addresses along.
  for (const auto& member : members_) {
    if (!group_.machine.has_addresses && has_addresses_or_routes(*member)) std::ignore = yield(*member);
  }
  process(Reconfigured{}, [] { return "the cluster file changed"; });
}

void SyncGroup::remove_member(GroupRouter& it) {
  if (group_.machine.state == RouterState::master)
    std::ignore = record_result(it, Operation::send, it.router.send(0, true));
  std::ignore = yield(it);
  std::ignore = record_result(it, Operation::yield, it.router.remove_interface());
  it.router.close();
}

void SyncGroup::remove_interfaces() {
  for (const auto& member : members_)
    std::ignore = record_result(*member, Operation::yield, member->router.remove_interface());
}

void SyncGroup::stop(const std::string& why) {
  process(Stop{}, [&] { return why; });
}

void SyncGroup::end_inhibit(const std::string& why) {
  if (group_.machine.inhibited) process(Inhibit{.inhibited = false}, [&] { return why; });
}

void SyncGroup::renew() {
  process(Reconfigured{}, [] { return ""; });
}

net::Result<> SyncGroup::may_hand_over(const std::string& router) const {
  if (group_.machine.state != RouterState::master) {
    return net::failure(fmt::format("{} is {} here, not master", router, to_string(group_.machine.state)));
  }
  if (config_.peer_priorities.empty())
    return net::failure(fmt::format("{} has no other node that can take over", router));
  if (config_.priority == owner_priority)
    return net::failure(
        fmt::format("{} has priority 255 here: this node owns the addresses, which cannot move", router));
  return {};
}

void SyncGroup::hand_over() {
  process(HandOver{}, [] { return "failover requested by an operator"; });
}

/// Of the first member that has one.
std::string SyncGroup::reason_of(std::string Conditions::* kind) const {
  for (const auto& member : members_) {
    if (!(member->conditions.*kind).empty()) return member->conditions.*kind;
  }
  return "";
}

void SyncGroup::apply_conditions(const std::string& cause) {
  const Config now = config();
  if (now.demoted != config_.demoted) {
    std::string why = reason_of(&Conditions::demotion);
    if (why.empty()) {
      notice({.kind = Notice::Kind::demotion_ended, .text = "no longer demoted"});
    } else {
      notice({.kind = Notice::Kind::demoted, .text = "demoted to priority 1: " + why});
    }
    // While it still has the priority that its peers know it by. Without peers it would be back with that one at once.
    if (!why.empty() && !now.peer_priorities.empty()) process(HandOver{}, [&] { return why; });
    config_ = now;
    renew();
    if (why.empty() && !group_.machine.inhibited)
      process(Inhibit{.inhibited = false}, [] { return "no longer demoted"; });
  } else if (now.priority != config_.priority) {
    const auto kind = now.priority < config_.priority ? Notice::Kind::priority_lowered : Notice::Kind::priority_raised;
    const auto text = fmt::format("priority {} -> {}: {}", config_.priority, now.priority, cause);
    config_ = now;
    notice({.kind = kind, .text = text});
    renew();
  }
  apply_fault();
}

void SyncGroup::apply_fault() {
  const std::string why = reason_of(&Conditions::fault);
  if (group_.faulted == !why.empty()) return;
  process(Fault{.faulted = !why.empty()}, [&] { return why.empty() ? "fault cleared" : why; });
}

Config SyncGroup::config() const {
  const Spec& spec = members_.front()->router.spec();
  const bool owner = spec.owns_addresses();  // its addresses stay, so it leads whatever its conditions are
  int priority = spec.priority;
  for (const auto& member : members_) priority -= owner ? 0 : member->conditions.priority_penalty;
  const bool demoted = !owner && !reason_of(&Conditions::demotion).empty();
  const bool unicast =
      std::ranges::any_of(members_, [](const auto& member) { return member->router.spec().unicast.has_value(); });
  return {.priority = static_cast<std::uint8_t>(demoted ? 1 : std::max(priority, 1)),
          .advertisement_interval = spec.advertise,
          .preempt_mode = spec.preempt,
          .preempt_delay = spec.preempt_delay,
          .version = spec.version,
          .demoted = demoted,
          .resolution_time = unicast ? neighbour_retransmission : Duration{},
          .peer_priorities = spec.peer_priorities};
}

}  // namespace vrrp
