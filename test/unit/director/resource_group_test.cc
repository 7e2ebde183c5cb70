#include "director/resources/resource_group.h"

#include "resource_host.h"
#include "test/catch.h"

using namespace director_test;

TEST_CASE("resources start one after the other, and stop in reverse") {
  Host host({unit("a.mount"), unit("b.service")});
  host.read();
  CHECK(host.told() == Log{});
  host.lead();
  CHECK(host.told() == Log{"start 0"});
  host.becomes(0, starting);
  CHECK(host.told() == Log{});
  host.ends(0, active);
  CHECK(host.told() == Log{"started 0", "start 1"});
  host.becomes(1, active);
  CHECK(host.told() == Log{});
  host.ends(1, active);
  CHECK(host.told() == Log{"started 1"});
  CHECK_FALSE(host.group.deadline());
  host.take(host.group.lose(host.now));
  CHECK(host.told() == Log{"stop 1"});
  host.ends(1, inactive);
  CHECK(host.told() == Log{"stopped 1", "stop 0"});
  host.ends(0, inactive);
  CHECK(host.told() == Log{"stopped 0"});
  CHECK_FALSE(host.group.deadline());
}

TEST_CASE("what runs is adopted, and left alone until the role is known") {
  Host host({unit("a.service"), unit("b.service")});
  host.states = {active, active};
  host.read();
  CHECK(host.told() == Log{});
  CHECK(host.group.unasked());
  host.lead();
  CHECK(host.told() == Log{"started 0", "started 1"});
  Host other({unit("a.service")});
  other.states = {active};
  other.take(other.group.lose(other.now));
  CHECK(other.told() == Log{});  // not read yet
  other.read();
  CHECK(other.told() == Log{"stop 0"});
}

TEST_CASE("a unit that fails is restarted in place, those after it too, and then the role is given up") {
  Host host({unit("a.service", 2), unit("b.service")});
  host.states = {active, active};
  host.read();
  host.lead();
  host.told();
  for (int i = 0; i < 2; ++i) {
    host.becomes(0, failed);
    CHECK(host.told() == Log{"failed 0"});
    host.pass(999ms);
    CHECK(host.told() == Log{});
    host.pass(1ms);
    CHECK(host.told() == Log{"stop 1"});
    host.ends(1, inactive);
    CHECK(host.told() == Log{"stopped 1", "start 0"});
    host.ends(0, active);
    CHECK(host.told() == Log{"started 0", "start 1"});
    host.ends(1, active);
    CHECK(host.told() == Log{"started 1"});
  }
  CHECK(host.group.failure().empty());
  host.becomes(0, failed);
  CHECK(host.told() == Log{"failed 0", "stop 1"});
  CHECK(host.group.failure().empty());  // the role stays until nothing runs any more
  host.ends(1, inactive);
  CHECK(host.told() == Log{"stopped 1", "released"});
  CHECK(host.group.failure() == "resource a.service: the unit failed");
  host.take(host.group.lose(host.now));
  host.pass(59s);
  CHECK(host.told() == Log{});
  host.pass(1s);
  CHECK(host.told() == Log{"recovered"});
  CHECK(host.group.failure().empty());
  host.lead();
  CHECK(host.told() == Log{"start 0"});
}

TEST_CASE("where nobody takes the role over, a failed node tries again after a minute") {
  Host host({unit("a.service", 0)});
  host.read();
  host.lead();
  host.ends(0, failed, "no");
  CHECK(host.told() == Log{"start 0", "failed 0", "released"});
  host.lead();  // nobody took over
  CHECK(host.told() == Log{});
  CHECK(host.group.failure() == "resource a.service: start: no");
  CHECK_THAT(host.group.problem(host.group.resources()[0], host.now), Catch::ContainsSubstring("does not run"));
  host.pass(60s);
  CHECK(host.told() == Log{"recovered", "start 0"});
}

TEST_CASE("failures are forgotten when the unit has been active for ten minutes") {
  for (const auto& [time, forgotten] : {std::pair{10min - 1ms, false}, std::pair{10min + 0ms, true}}) {
    Host host({unit("a.service", 1)});
    host.states = {active};
    host.read();
    host.lead();
    host.becomes(0, failed);
    host.pass(1s);
    host.ends(0, active);
    host.pass(time);
    host.told();
    host.becomes(0, failed);
    CHECK(host.told() == (forgotten ? Log{"failed 0"} : Log{"failed 0", "released"}));
  }
}

TEST_CASE("a start that takes too long is ended, and counts as a failure") {
  Host host({unit("a.service", 1)});
  host.read();
  host.lead();
  host.becomes(0, starting);
  host.pass(30s - 1ms);
  CHECK(host.told() == Log{"start 0"});
  host.pass(1ms);
  CHECK(host.told() == Log{"stop 0", "failed 0"});
  host.ends(0, inactive);
  CHECK(host.told() == Log{"stopped 0"});
  host.pass(1s);
  CHECK(host.told() == Log{"start 0"});
}

TEST_CASE("a start that leaves the unit inactive is a failure that names the usual cause") {
  Host host({unit("a.service")});
  host.read();
  host.lead();
  host.ends(0, inactive);
  CHECK(host.told() == Log{"start 0", "failed 0"});
  CHECK_THAT(host.group.resources()[0].reason, Catch::ContainsSubstring("RemainAfterExit=yes"));
}

TEST_CASE("a role that is given away goes when nothing runs, or after the stop limits") {
  Host host({unit("a.service"), unit("b.service")});
  host.states = {active, active};
  host.read();
  host.lead();
  host.told();
  SECTION("all stop") {
    host.take(host.group.leave(host.now));
    CHECK(host.told() == Log{"stop 1"});
    host.ends(1, inactive);
    CHECK(host.told() == Log{"stopped 1", "stop 0"});
    host.ends(0, inactive);
    CHECK(host.told() == Log{"stopped 0", "released"});
    host.pass(1min);
    CHECK(host.told() == Log{});
    host.lead();  // nobody took over
    CHECK(host.told() == Log{"start 0"});
  }
  SECTION("one hangs: the others are stopped in time all the same, and it is asked again") {
    host.take(host.group.leave(host.now));
    host.pass(20s);
    CHECK(host.told() == Log{"stop 1", "failed 1", "stop 0"});
    host.ends(0, inactive);
    CHECK(host.told() == Log{"stopped 0", "released"});
    host.take(host.group.lose(host.now));
    CHECK_THAT(host.group.problem(host.group.resources()[1], host.now),
               Catch::ContainsSubstring("did not stop within 20s"));
    host.pass(60s);
    CHECK(host.told() == Log{"stop 1"});
  }
  SECTION("systemd is out of reach") {
    host.group.lose_sight(host.now);
    host.take(host.group.leave(host.now));
    host.pass(40s - 1ms);
    CHECK(host.told() == Log{});
    host.pass(1ms);
    CHECK(host.told() == Log{"released"});
  }
}

TEST_CASE("a start under way is ended when the role goes, and the role waits for that") {
  Host host({unit("a.service")});
  host.read();
  host.lead();
  host.take(host.group.leave(host.now));
  CHECK(host.told() == Log{"start 0", "stop 0"});
  host.ends(0, inactive);
  CHECK(host.told() == Log{"stopped 0", "released"});
}

TEST_CASE("a failure is not over while the role is being released") {
  Host host({unit("a.service", 0)});
  host.read();
  host.lead();
  host.ends(0, failed, "no");  // nobody takes over
  host.pass(59s);
  host.told();
  host.group.lose_sight(host.now);
  host.take(host.group.leave(host.now));
  host.pass(10s);
  CHECK(host.told() == Log{});
  host.becomes(0, inactive);
  CHECK(host.told() == Log{"released"});
}

TEST_CASE("a role that comes back while it is being released is released all the same") {
  Host host({unit("a.service")});
  host.states = {active};
  host.read();
  host.lead();
  host.take(host.group.leave(host.now));
  host.take(host.group.lose(host.now));
  host.lead();
  CHECK(host.told() == Log{"started 0", "stop 0"});
  host.ends(0, inactive);
  CHECK(host.told() == Log{"stopped 0", "released"});
  host.lead();
  CHECK(host.told() == Log{"start 0"});
}

TEST_CASE("a start waits for the units of a master that went silent; what runs already does not") {
  Host host({unit("a.service")});
  host.read();
  host.take(host.group.gain(host.now + 20s, host.now));
  CHECK(host.told() == Log{});
  CHECK_THAT(host.group.problem(host.group.resources()[0], host.now), Catch::ContainsSubstring("waits 20s"));
  host.pass(20s - 1ms);
  CHECK(host.told() == Log{});
  host.pass(1ms);
  CHECK(host.told() == Log{"start 0"});
}

TEST_CASE("nothing is done while nothing is known, and all of it after") {
  Host host({unit("a.service"), unit("b.service")});
  host.lead();
  CHECK(host.told() == Log{});
  host.becomes(1, inactive);
  CHECK(host.told() == Log{});
  host.becomes(0, inactive);
  CHECK(host.told() == Log{"start 0"});
  host.group.lose_sight(host.now);
  host.pass(1h);
  CHECK(host.told() == Log{});
  host.states = {active, inactive};
  host.read();
  CHECK(host.told() == Log{"started 0", "start 1"});
}

TEST_CASE("another list of units ends a failure, but no release that is under way") {
  Host host({unit("a.service", 0), unit("b.service")});
  host.states = {active, active};
  host.read();
  host.lead();
  host.becomes(0, failed);
  host.told();
  host.take(host.group.set({unit("a.service", 0), unit("b.service")}, host.now));
  CHECK(host.told() == Log{});
  host.ends(1, inactive);
  CHECK(host.told() == Log{"stopped 1", "released"});
  host.take(host.group.set({unit("a.service", 0), unit("b.service")}, host.now));
  CHECK(host.told() == Log{"recovered"});  // still master: the start comes after the pause
  host.pass(1s);
  CHECK(host.told() == Log{"start 0"});
}

TEST_CASE("another list of units keeps what is known of those that stay") {
  Host host({unit("a.service"), unit("b.service")});
  host.states = {active, active};
  host.read();
  host.lead();
  host.told();
  host.take(host.group.set({unit("b.service"), unit("c.service")}, host.now));
  CHECK(host.told() == Log{});
  CHECK(host.group.resources()[0].state == active);
  host.states = {active, inactive};
  host.read();
  CHECK(host.told() == Log{"start 1"});
}
