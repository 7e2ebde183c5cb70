#include "vrrp/group.h"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using vrrp::Action;
using vrrp::Config;
using vrrp::Expired;
using vrrp::Group;
using vrrp::Instant;
using vrrp::LinkChanged;
using vrrp::MemberHeard;
using vrrp::Start;
using vrrp::State;
using vrrp::Stop;
using Actions = std::vector<Action>;

namespace {

const Instant t0 = Instant{} + 1h;
const Config config{.priority = 100};
constexpr std::size_t front = 0;
constexpr std::size_t back = 1;

MemberHeard heard(std::size_t member, std::uint8_t priority, bool greater_address = false) {
  return {.member = member,
          .advert = {.priority = priority, .max_advertise_interval = 1s, .greater_address = greater_address}};
}

Group started(bool front_up = true, bool back_up = true) {
  const Group group{.machine = {}, .members = {{.link_up = front_up}, {.link_up = back_up}}};
  return step(config, group, Start{}, t0).next;
}
Group master() { return step(config, started(), Expired{}, t0).next; }

}  // namespace

TEST_CASE("a group takes part only while all its links are up") {
  CHECK(started().machine.state == State::backup);
  const Group waiting = started(true, false);
  CHECK(waiting.machine.state == State::initialize);
  CHECK(waiting.fault() == back);
  const Group joined = step(config, waiting, LinkChanged{back, true}, t0 + 1s).next;
  CHECK(joined.machine.state == State::backup);
  CHECK_FALSE(joined.fault());
}

TEST_CASE("a link does not start a group that was not started") {
  const Group group{.machine = {}, .members = {{.link_up = false}}};
  CHECK(step(config, group, LinkChanged{0, true}, t0).next.machine.state == State::initialize);
}

TEST_CASE("one link lost, and the master resigns and yields on all") {
  const auto [next, actions] = step(config, master(), LinkChanged{front, false}, t0 + 1s);
  CHECK(next.machine.state == State::initialize);
  CHECK(actions == Actions{Action::resign, Action::yield});
  const auto [worse, nothing] = step(config, next, LinkChanged{back, false}, t0 + 1s);
  CHECK(nothing.empty());
  CHECK(step(config, worse, LinkChanged{front, true}, t0 + 2s).next.machine.state == State::initialize);
}

TEST_CASE("a link that comes back does not restart a group that is already taking part") {
  CHECK(step(config, master(), LinkChanged{front, true}, t0 + 1s).next.machine == master().machine);
}

TEST_CASE("a master heard on one link only is heard: a silently unplugged link moves nothing") {
  Group group = started();
  for (int second = 1; second <= 10; ++second) {
    group = step(config, group, heard(back, 150), t0 + second * 1s).next;
    CHECK(group.machine.deadline == t0 + second * 1s + master_down_interval(config, 1s));
  }
}

TEST_CASE("priority 0 on one link hands over all") {
  const Group group = step(config, started(), heard(back, 0), t0 + 1s).next;
  CHECK(group.machine.deadline == t0 + 1s + skew_time(config, 1s));
}

TEST_CASE("a higher priority on any link takes all") {
  for (const std::size_t member : {front, back}) {
    const auto [next, actions] = step(config, master(), heard(member, 101), t0 + 1s);
    CHECK(next.machine.state == State::backup);
    CHECK(actions == Actions{Action::yield});
  }
}

TEST_CASE("ties are decided by the first link, and by another only when it alone carries adverts for a while") {
  const auto holds_on = [](const Group& group, const MemberHeard& event, vrrp::Duration at) {
    return step(config, group, event, t0 + at).next.machine.state == State::master;
  };
  CHECK_FALSE(holds_on(master(), heard(front, 100, true), 0s));
  CHECK(holds_on(master(), heard(back, 100, true), 0s));

  const Group back_only = step(config, master(), heard(back, 100, true), t0).next;
  CHECK(holds_on(back_only, heard(back, 100, true), 2s));
  CHECK_FALSE(holds_on(back_only, heard(back, 100, true), 2001ms));
  CHECK(holds_on(back_only, heard(back, 100, false), 2001ms));
  CHECK_FALSE(holds_on(back_only, heard(back, 101, false), 0s));

  const Group both = step(config, back_only, heard(front, 100, false), t0).next;
  CHECK(both.machine.state == State::master);
  CHECK(holds_on(both, heard(back, 100, true), 7s));
  CHECK_FALSE(holds_on(both, heard(front, 100, true), 7s));
}

TEST_CASE("a backup follows an equal priority on any link") {
  const Group group = step(config, started(), heard(front, 100), t0).next;
  CHECK(step(config, group, heard(back, 100), t0 + 1s).next.machine.deadline ==
        t0 + 1s + master_down_interval(config, 1s));
}

TEST_CASE("stop resigns, and a started group starts again") {
  const auto [next, actions] = step(config, master(), Stop{}, t0 + 1s);
  CHECK(actions == Actions{Action::resign, Action::yield});
  CHECK(next.machine.state == State::initialize);
  CHECK(step(config, next, Start{}, t0 + 2s).next.machine.state == State::backup);
}

TEST_CASE("addresses of an earlier life are yielded when a link is missing at the start") {
  const Group group{.machine = {.holding = true}, .members = {{.link_up = true}, {.link_up = false}}};
  CHECK(step(config, group, Start{}, t0).actions == Actions{Action::yield});
}
