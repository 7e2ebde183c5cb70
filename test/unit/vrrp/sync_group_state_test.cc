#include "vrrp/sync_group_state.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using vrrp::Action;
using vrrp::Config;
using vrrp::Expired;
using vrrp::Instant;
using vrrp::LinkChanged;
using vrrp::MemberHeard;
using vrrp::RouterState;
using vrrp::Start;
using vrrp::Stop;
using vrrp::SyncGroupState;
using Actions = std::vector<Action>;

namespace {

const Instant t0 = Instant{} + 1h;
const Config config{.priority = 100};
constexpr std::size_t front = 0;
constexpr std::size_t back = 1;

MemberHeard heard(std::size_t member, std::uint8_t priority, bool greater_address = false) {
  return {.member = member,
          .advert = {.priority = priority, .max_advertise_interval = 1s, .greater_address = greater_address},
          .source = {}};
}

SyncGroupState started(bool front_up = true, bool back_up = true) {
  const SyncGroupState group{.machine = {}, .members = {{.link_up = front_up}, {.link_up = back_up}}};
  return step(config, group, Start{}, t0).next;
}
SyncGroupState master() {
  const SyncGroupState fresh = step(config, started(), Expired{}, t0).next;
  return step(config, fresh, Expired{}, t0).next;
}

}  // namespace

TEST_CASE("a group takes part only while all its links are up") {
  CHECK(started().machine.state == RouterState::backup);
  const SyncGroupState waiting = started(true, false);
  CHECK(waiting.machine.state == RouterState::initialize);
  CHECK(waiting.broken_link() == back);
  const SyncGroupState joined = step(config, waiting, LinkChanged{back, true}, t0 + 1s).next;
  CHECK(joined.machine.state == RouterState::backup);
  CHECK_FALSE(joined.broken_link());
}

TEST_CASE("a farewell that its successor's first advert has overtaken shortens nothing") {
  const auto from = [](const char* source, MemberHeard advert) {
    advert.source = net::Address::parse(source).value();
    return advert;
  };
  SyncGroupState group = step(config, started(), from("10.0.0.1", heard(front, 150)), t0).next;
  const auto farewell = from("10.0.0.1", heard(front, 0));
  CHECK(step(config, group, farewell, t0 + 1ms).next.machine.deadline < t0 + 1s);
  group = step(config, group, from("10.0.0.2", heard(front, 120)), t0 + 1ms).next;
  const auto deadline = group.machine.deadline;
  CHECK(step(config, group, farewell, t0 + 2ms).next.machine.deadline == deadline);
  CHECK(step(config, group, from("10.1.0.1", heard(back, 0)), t0 + 2ms).next.machine.deadline == deadline);
  CHECK(step(config, group, from("10.0.0.2", heard(front, 0)), t0 + 2ms).next.machine.deadline < t0 + 1s);
  // Who has not spoken for an interval may be gone; whose farewell this is then matters no more.
  CHECK(step(config, group, farewell, t0 + 1100ms).next.machine.deadline < t0 + 2100ms);
}

TEST_CASE("a group whose link came up listens from when its peers can send to it, whatever it waited for last") {
  Config unicast = config;
  unicast.resolution_time = 1s;
  const SyncGroupState waiting = started(false, false);
  SyncGroupState group = step(unicast, waiting, LinkChanged{back, true}, t0).next;
  group = step(unicast, group, LinkChanged{front, true}, t0 + 300ms).next;
  CHECK(group.machine.deadline == t0 + 1300ms + master_down_interval(unicast, 1s));
  // A fault that ends later ends with a start that listens no longer than others.
  group = step(unicast, group, vrrp::Fault{.faulted = true}, t0 + 400ms).next;
  group = step(unicast, group, vrrp::Fault{.faulted = false}, t0 + 5s).next;
  CHECK(group.machine.deadline == t0 + 5s + master_down_interval(unicast, 1s));
  group =
      step(config, step(config, group, LinkChanged{back, false}, t0 + 6s).next, LinkChanged{back, true}, t0 + 7s).next;
  CHECK(group.machine.deadline == t0 + 7s + master_down_interval(config, 1s));
}

TEST_CASE("a link does not start a group that was not started") {
  const SyncGroupState group{.machine = {}, .members = {{.link_up = false}}};
  CHECK(step(config, group, LinkChanged{0, true}, t0).next.machine.state == RouterState::initialize);
}

TEST_CASE("one link lost, and the master resigns and yields on all") {
  const auto [next, actions, late] = step(config, master(), LinkChanged{front, false}, t0 + 1s);
  CHECK(next.machine.state == RouterState::initialize);
  CHECK(actions == Actions{Action::resign, Action::yield});
  const auto [worse, nothing, late2] = step(config, next, LinkChanged{back, false}, t0 + 1s);
  CHECK(nothing.empty());
  CHECK(step(config, worse, LinkChanged{front, true}, t0 + 2s).next.machine.state == RouterState::initialize);
}

TEST_CASE("a link that comes back does not restart a group that is already taking part") {
  CHECK(step(config, master(), LinkChanged{front, true}, t0 + 1s).next.machine == master().machine);
}

TEST_CASE("a master heard on one link only is heard: a silently unplugged link moves nothing") {
  SyncGroupState group = started();
  for (int second = 1; second <= 10; ++second) {
    group = step(config, group, heard(back, 150), t0 + second * 1s).next;
    CHECK(group.machine.deadline == t0 + second * 1s + master_down_interval(config, 1s));
  }
}

TEST_CASE("priority 0 on one link hands over all") {
  const SyncGroupState group = step(config, started(), heard(back, 0), t0 + 1s).next;
  CHECK(group.machine.deadline == t0 + 1s + skew_time(config, 1s));
}

TEST_CASE("a higher priority on any link takes all") {
  for (const std::size_t member : {front, back}) {
    const auto [next, actions, late] = step(config, master(), heard(member, 101), t0 + 1s);
    CHECK(next.machine.state == RouterState::backup);
    CHECK(actions == Actions{Action::advertise, Action::yield});
  }
}

TEST_CASE("ties are decided by the first link, and by another only when it alone carries adverts for a while") {
  const auto holds_on = [](const SyncGroupState& group, const MemberHeard& event, vrrp::Duration at) {
    return step(config, group, event, t0 + at).next.machine.state == RouterState::master;
  };
  CHECK_FALSE(holds_on(master(), heard(front, 100, true), 0s));
  CHECK(holds_on(master(), heard(back, 100, true), 0s));

  const SyncGroupState back_only = step(config, master(), heard(back, 100, true), t0).next;
  CHECK(holds_on(back_only, heard(back, 100, true), 2s));
  CHECK_FALSE(holds_on(back_only, heard(back, 100, true), 2001ms));
  CHECK(holds_on(back_only, heard(back, 100, false), 2001ms));
  CHECK_FALSE(holds_on(back_only, heard(back, 101, false), 0s));

  const SyncGroupState both = step(config, back_only, heard(front, 100, false), t0).next;
  CHECK(both.machine.state == RouterState::master);
  CHECK(holds_on(both, heard(back, 100, true), 7s));
  CHECK_FALSE(holds_on(both, heard(front, 100, true), 7s));
}

TEST_CASE("a backup follows an equal priority on any link") {
  const SyncGroupState group = step(config, started(), heard(front, 100), t0).next;
  CHECK(step(config, group, heard(back, 100), t0 + 1s).next.machine.deadline ==
        t0 + 1s + master_down_interval(config, 1s));
}

TEST_CASE("stop resigns, and a started group starts again") {
  const auto [next, actions, late] = step(config, master(), Stop{}, t0 + 1s);
  CHECK(actions == Actions{Action::resign, Action::yield});
  CHECK(next.machine.state == RouterState::initialize);
  CHECK(step(config, next, Start{}, t0 + 2s).next.machine.state == RouterState::backup);
}

TEST_CASE("addresses of an earlier life are yielded when a link is missing at the start") {
  const SyncGroupState group{.machine = {.has_addresses = true}, .members = {{.link_up = true}, {.link_up = false}}};
  CHECK(step(config, group, Start{}, t0).actions == Actions{Action::yield});
}

TEST_CASE("a claim that is refused takes the group away, for longer each time, and back as a backup") {
  SyncGroupState group = master();
  vrrp::Duration away = 1s;
  Instant now = t0 + 1s;
  for (int claim_failures = 1; claim_failures < 8; ++claim_failures) {
    const auto refused = step(config, group, vrrp::ClaimFailed{}, now);
    CHECK(refused.next.machine.state == RouterState::initialize);
    CHECK(refused.actions == (claim_failures == 1 ? Actions{Action::resign, Action::yield} : Actions{Action::yield}));
    CHECK(refused.next.deadline() == now + away);
    CHECK(step(config, refused.next, LinkChanged{front, true}, now).next.machine.state == RouterState::initialize);
    group = step(config, refused.next, Expired{}, now += away).next;
    CHECK(group.machine.state == RouterState::backup);
    group = step(config, group, Expired{}, *group.deadline()).next;
    CHECK(group.machine.state == RouterState::master);
    now += 4s;
    away = std::min<vrrp::Duration>(away * 2, 30s);
  }
  CHECK(step(config, group, Expired{}, *group.deadline()).next.claim_failures == 0);
}

TEST_CASE("what is of no use here gives its role up, and takes part again when it is") {
  const auto [next, actions, late] = step(config, master(), vrrp::Fault{.faulted = true}, t0 + 1s);
  CHECK(next.machine.state == RouterState::initialize);
  CHECK(actions == Actions{Action::resign, Action::yield});
  CHECK(step(config, next, LinkChanged{front, true}, t0 + 2s).next.machine.state == RouterState::initialize);
  CHECK(step(config, next, vrrp::Fault{.faulted = false}, t0 + 2s).next.machine.state == RouterState::backup);
}

TEST_CASE("a farewell counts as the master's only from the sender that was followed, with the priority that was") {
  const Config second{.priority = 100, .peer_priorities = {150, 50}};
  const auto by = [](std::size_t member, std::uint8_t priority, const char* source) {
    MemberHeard event = heard(member, priority);
    event.source = net::Address::parse(source).value();
    return event;
  };
  const SyncGroupState follows = step(second, started(), by(front, 150, "10.0.0.1"), t0).next;
  const auto state_after = [&](const SyncGroupState& group, const MemberHeard& farewell) {
    return step(second, group, farewell, t0 + 1s).next.machine.state;
  };
  CHECK(state_after(follows, by(front, 0, "10.0.0.1")) == RouterState::master);
  CHECK(state_after(follows, by(front, 0, "10.0.0.3")) == RouterState::backup);
  CHECK(state_after(follows, by(back, 0, "10.0.0.1")) == RouterState::backup);
  const SyncGroupState newer =
      step(second, follows, by(back, 200, "10.1.0.9"), t0).next;  // one link is ahead of the other
  CHECK(state_after(newer, by(front, 0, "10.0.0.1")) == RouterState::backup);
}

TEST_CASE("a group that stops waits for its successor, unless a link is lost meanwhile") {
  const Config known{.priority = 100, .peer_priorities = {90}};
  const SyncGroupState leaving = step(known, master(), Stop{}, t0 + 1s).next;
  CHECK(leaving.machine.state == RouterState::master);
  CHECK(step(known, leaving, Stop{}, t0 + 1s).next.machine == leaving.machine);
  CHECK(step(known, leaving, LinkChanged{back, true}, t0 + 1s).next.machine.state == RouterState::master);
  CHECK(step(known, leaving, LinkChanged{back, false}, t0 + 1s).next.machine.state == RouterState::initialize);
  CHECK(step(known, leaving, heard(back, 90), t0 + 1s).actions == Actions{Action::yield});
}
