#include "vrrp/sync_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace vrrp {

namespace {

using namespace std::chrono_literals;

/// Between one announcement and the next; the first is made at once. A neighbour may lose one or two.
constexpr std::array<Duration, 4> burst_pauses = {100ms, 400ms, 1s, 2s};

/// After the burst: for neighbours that have heard otherwise since, or nothing.
constexpr Duration refresh_pause = 60s;

/// Between one notice of a reason and the next: whoever floods us does not fill the log.
constexpr Duration rejected_pause = 60s;

/// Without the adverts of priority 0 after which their sender spoke as master again: after this node stood still, many
/// adverts arrive at once, of which the last is true.
std::vector<Router::Accepted> drop_stale_resignations(const std::vector<Router::Accepted>& accepted) {
  std::set<net::Address> masters;
  std::vector<Router::Accepted> left;
  for (const auto& advert : accepted | std::views::reverse) {
    if (advert.heard.priority == 0 && masters.contains(advert.source)) continue;
    if (advert.heard.priority != 0) masters.insert(advert.source);
    left.push_back(advert);
  }
  std::ranges::reverse(left);
  return left;
}

}  // namespace

SyncGroup::~SyncGroup() {
  context_.loop.cancel(timer_);
  context_.loop.cancel(announce_timer_);
  for (const auto& member : members_) member->router.close();
}

std::size_t SyncGroup::index_of(const GroupRouter& router) const {
  const auto found = std::ranges::find(members_, &router, &std::unique_ptr<GroupRouter>::get);
  return static_cast<std::size_t>(found - members_.begin());
}

void SyncGroup::on_link_change(const std::string& interface) {
  if (is_stopped()) return;  // it has removed its own
  for (std::size_t member = 0; member < members_.size(); ++member) {
    GroupRouter& it = *members_[member];
    const Spec& spec = it.router.spec();
    // The source of unicast adverts may be on any interface.
    if (spec.interface != interface && spec.address_interface() != interface && !spec.unicast) continue;
    const auto mac = it.router.mac();
    const std::string before = it.router.fault();
    refresh(it);
    const std::string& fault = it.router.fault();
    if (fault.empty() != group_.members[member].link_up) {
      process(LinkChanged{.member = member, .up = fault.empty()},
              [&] { return fault.empty() ? fmt::format("link {} is up", interface) : fault; });
    } else if (!fault.empty() && fault != before) {
      report_fault(it);
    } else if (group_.machine.state == RouterState::master && !it.router.has_all_addresses()) {
      // Somebody took an address away, or the interface was made anew.
      renew();
    } else if (group_.machine.state == RouterState::master && it.router.mac() != mac) {
      // The neighbours still send to the one before: it was set by hand, or a bridge has another port's now.
      std::ignore = perform(Action::announce);
    }
  }
}

void SyncGroup::on_packets(GroupRouter& it) {
  const auto accepted = receive(it);
  // Before it resigned on this link, the master spoke on the others too, which may be read later in this turn: that
  // would be heard as if it led again.
  if (!accepted.empty() && accepted.back().heard.priority == 0) {
    for (const auto& other : members_) {
      if (other.get() != &it) hear(*other, receive(*other));
    }
  }
  hear(it, accepted);
}

std::vector<Router::Accepted> SyncGroup::receive(GroupRouter& it) {
  const auto received = it.router.receive(context_.loop.now(), context_.self);
  report_rejected(it, received.rejected);
  if (received.other_checksum) report_checksum(it, *received.other_checksum);
  for (const auto& [source, identity] : received.identities) context_.listener.on_peer_identity(identity, source);
  return drop_stale_resignations(received.accepted);
}

void SyncGroup::hear(const GroupRouter& it, const std::vector<Router::Accepted>& accepted) {
  const std::size_t member = index_of(it);
  for (const auto& [source, heard] : accepted) {
    resigned_.reset();
    if (heard.priority == 0) resigned_ = source;
    const bool leaving = group_.machine.leaving != Leaving::no;
    process(MemberHeard{.member = member, .advert = heard, .source = source}, [&] {
      if (leaving) return fmt::format("resigned; {} took over", to_string(source));
      if (heard.priority == 0) return fmt::format("{} resigned", to_string(source));
      return fmt::format("heard {} with priority {}, ours is {}", to_string(source), heard.priority, config_.priority);
    });
  }
}

/// The first of each kind, and then one a minute.
void SyncGroup::report_rejected(GroupRouter& it, const std::vector<Router::RejectedPacket>& rejected) {
  for (const auto& [source, reason] : rejected) {
    const auto [told, is_first] = it.last_reported.try_emplace(reason, context_.loop.now());
    if (!is_first && context_.loop.now() - told->second < rejected_pause) continue;
    told->second = context_.loop.now();
    const bool accepted = reason == RejectReason::address_list;
    const Counters counters = it.router.counters();
    context_.listener.on_notice(
        it.router.spec().name,
        {.kind = Notice::Kind::advert,
         .text = fmt::format("advertisement from {1} {0} {2} ({3} so far)",
                             accepted ? "accepted, but" : "refused:", to_string(source), describe(reason),
                             accepted ? counters.other_address_list : counters.rejected[std::to_underlying(reason)])});
  }
}

/// Where two peers differ, each advert would be one.
void SyncGroup::report_checksum(GroupRouter& it, const net::Address& source) {
  const auto now = context_.loop.now();
  if (it.checksum_reported && now - *it.checksum_reported < rejected_pause) return;
  it.checksum_reported = now;
  const bool of_5798 = it.router.checksum() == Checksum::rfc5798;
  context_.listener.on_notice(
      it.router.spec().name,
      {.kind = Notice::Kind::checksum,
       .text = fmt::format("{} sends advertisements with the checksum of {}: sending that too", to_string(source),
                           of_5798 ? "RFC 5798 (with a pseudo-header)" : "RFC 9568 (without a pseudo-header)")});
}

void SyncGroup::on_timer() {
  const Leaving leaving = group_.machine.leaving;
  process(Expired{}, [&, this] {
    if (leaving == Leaving::for_good) return std::string("stopped; no other node took over");
    if (group_.machine.state == RouterState::initialize)
      return std::string("retrying after the kernel refused its addresses");
    if (resigned_) return fmt::format("{} resigned", to_string(*resigned_));
    const auto waited = master_down_interval(config_, group_.machine.master_adver_interval);
    return fmt::format("no master was heard for {}", net::to_string(waited));
  });
  if (leaving == Leaving::to_backup && group_.machine.state == RouterState::master &&
      group_.machine.leaving == Leaving::no) {
    notice({.kind = Notice::Kind::no_successor, .text = "no other node took over: remaining master"});
  }
}

/// One event: the next state is stored, its actions are done, and a change of state is told with its reason. A claim
/// that is refused is an event of its own, of which only the outcome is told.
void SyncGroup::process(const SyncGroupEvent& event, const std::function<std::string()>& reason) {
  const auto now = context_.loop.now();
  const Machine before = group_.machine;
  const auto deadline = group_.deadline();
  auto made = step(config_, group_, event, now);
  std::string why = made.next.machine.state != before.state ? reason() : "";
  group_ = std::move(made.next);
  if (made.late) {
    notice({.kind = Notice::Kind::stalled,
            .text = fmt::format("process was stalled for {}: listening for one advertisement interval before acting",
                                net::to_string(now - *before.deadline))});
    why = "process was stalled: another node may have taken over";
  }
  if (const auto done = perform(made.actions); !done) {
    claim_error_ = why = done.error().message;
    auto failed = step(config_, group_, ClaimFailed{}, now);
    group_ = std::move(failed.next);
    std::ignore = perform(failed.actions);
  } else if (std::ranges::find(made.actions, Action::claim) != made.actions.end()) {
    claim_error_.clear();
  }
  if (deadline != group_.deadline()) arm();
  const RouterState state = group_.machine.state;
  if (state == before.state) return;
  since_ = now;
  reason_ = why;
  for (const auto& member : members_) {
    context_.listener.on_transition({.router = member->router.spec().name,
                                     .from = before.state,
                                     .to = state,
                                     .reason = why,
                                     .stopped = !group_.running,
                                     .at = now});
  }
  if (is_stopped()) context_.on_group_stopped();
}

/// Until a claim fails, which is the error.
net::Result<> SyncGroup::perform(const std::vector<Action>& actions) {
  for (const Action action : actions) {
    if (auto done = perform(action); !done && action == Action::claim) return done;
  }
  return {};
}

net::Result<> SyncGroup::perform(Action action) {
  if (action == Action::announce) {
    announced_ = 0;
    announce();
    return {};
  }
  const bool as_master = group_.machine.state == RouterState::master;
  net::Result<> result;
  for (const auto& member : members_) {
    GroupRouter& it = *member;
    net::Result<> done;
    switch (action) {
      case Action::advertise:
        done = record_result(it, Operation::send, it.router.send(config_.priority, as_master));
        break;
      case Action::resign:
        done = record_result(it, Operation::send, it.router.send(0, as_master));
        break;
      case Action::claim:
        done = record_result(it, Operation::claim, it.router.claim(lease(config_)));
        remove_duplicates(it);
        break;
      case Action::announce:
        break;
      case Action::yield:
        done = yield(it);
        break;
    }
    if (result) result = std::move(done);
  }
  if (action != Action::claim || !result) return result;
  // When all addresses are there, one of which a route may lead over. Without its routes a master is better than none.
  for (const auto& member : members_) {
    std::ignore = record_result(*member, Operation::route, member->router.set_routes(*context_.links, lease(config_)));
  }
  return result;
}

void SyncGroup::remove_duplicates(GroupRouter& it) {
  for (const auto& prefix : it.router.remove_duplicates()) {
    context_.listener.on_error(
        it.router.spec().name,
        {.code = 0,
         .message = fmt::format("removed {} from {}: another program had set this virtual address with another prefix "
                                "length",
                                to_string(prefix), it.router.spec().address_interface())});
  }
}

/// Takes away what it holds.
net::Result<> SyncGroup::yield(GroupRouter& it) {
  it.failing.erase(Operation::route);
  remove_duplicates(it);
  auto dropped = it.router.drop_routes(*context_.links);
  auto yielded = it.router.yield();
  return record_result(it, Operation::yield, dropped ? std::move(yielded) : std::move(dropped));
}

/// One announcement, and a timer for the next.
void SyncGroup::announce() {
  context_.loop.cancel(std::exchange(announce_timer_, 0));
  if (group_.machine.state != RouterState::master) return;
  for (const auto& member : members_)
    std::ignore = record_result(*member, Operation::announce, member->router.announce());
  const Duration pause = announced_ < burst_pauses.size() ? burst_pauses[announced_++] : refresh_pause;
  announce_timer_ = context_.loop.after(pause, [this] { announce(); });
}

void SyncGroup::arm() {
  context_.loop.cancel(std::exchange(timer_, 0));
  if (const auto deadline = group_.deadline()) timer_ = context_.loop.at(*deadline, [this] { on_timer(); });
}

void SyncGroup::notice(const Notice& what) {
  for (const auto& member : members_) context_.listener.on_notice(member->router.spec().name, what);
}

net::Result<> SyncGroup::record_result(GroupRouter& it, Operation operation, net::Result<> result) {
  if (result) {
    it.failing.erase(operation);
    return result;
  }
  std::string& last = it.failing[operation];
  const bool is_new = std::exchange(last, result.error().message) != result.error().message;
  if (is_new) context_.listener.on_error(it.router.spec().name, result.error());
  return result;
}

Status SyncGroup::status(const GroupRouter& it) const {
  const Machine& machine = group_.machine;
  const auto broken = group_.broken_link();
  std::string fault;
  if (group_.running && broken) fault = members_[*broken]->router.fault();
  if (group_.running && !claim_error_.empty()) fault = claim_error_;
  if (group_.running && group_.faulted) fault = reason_of(&Conditions::fault);
  const auto unset = it.failing.find(Operation::route);
  return {.spec = it.router.spec(),
          .state = machine.state,
          .since = since_,
          .reason = fault.empty() ? reason_ : fault,
          .fault = machine.state == RouterState::initialize ? fault : "",
          .problem = claim_error_.empty() && unset != it.failing.end() ? unset->second : claim_error_,
          .standby_reason = machine.inhibited ? context_.inhibit_reason
                            : config_.demoted ? reason_of(&Conditions::demotion)
                                              : "",
          .priority = config_.priority,
          .source = it.router.source(),
          .present_addresses = it.router.present_addresses(),
          .lease_end = machine.state == RouterState::master && config_.priority != owner_priority
                           ? std::optional(machine.lease_end)
                           : std::nullopt,
          .next_timer = group_.deadline(),
          .peers = it.router.peers(),
          .last_rejected = it.router.last_rejected(),
          .adverts = it.router.counters()};
}

}  // namespace vrrp
