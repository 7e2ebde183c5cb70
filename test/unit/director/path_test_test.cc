#include "director/engine/path_test.h"

#include "director/engine/path_settings.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using director::Finding;
using director::hear;
using director::needed;
using director::PathTest;
using net::Instant;

namespace {

const Instant start = Instant(1000s);

checkers::Key check(std::uint32_t mark) {
  return {.target = net::Endpoint::parse("192.0.2.1:80").value(), .spec = {}, .mark = mark};
}

PathTest arrived(std::set<checkers::Key> up) {
  PathTest test;
  address_changed(test, true, std::move(up), start);
  return test;
}

}  // namespace

TEST_CASE("while nothing changes, every failure counts") {
  PathTest test;
  CHECK(hear(test, check(1), false, start, start) == Finding::none);
  CHECK(hold_until(test) <= Instant{});
}

TEST_CASE("when the address goes, failures of probes that begin within the next second do not count") {
  PathTest test;
  address_changed(test, false, {check(1)}, start);
  CHECK(hold_until(test) == start + PathTest::settle);
}

TEST_CASE("an address that comes where no check is up is not put to the test") {
  auto test = arrived({});
  CHECK(hold_until(test) == start + PathTest::settle);
  CHECK(hear(test, check(1), false, start + 2s, start + 3s) == Finding::none);
}

TEST_CASE("an address that comes holds all failures until one check passes") {
  auto test = arrived({check(1), check(2)});
  CHECK(hold_until(test) == Instant::max());
  CHECK(hear(test, check(1), false, start + 2s, start + 3s) == Finding::none);
  CHECK(hold_until(test) == Instant::max());
  CHECK(hear(test, check(2), true, start + 2s, start + 4s) == Finding::works);
  CHECK(hold_until(test) == start + 4s);
  CHECK(hear(test, check(1), false, start + 5s, start + 6s) == Finding::none);  // counts, as any
}

TEST_CASE("an early pass does not shorten the time that all need to settle") {
  auto test = arrived({check(1)});
  CHECK(hear(test, check(1), true, start, start + 1ms) == Finding::works);
  CHECK(hold_until(test) == start + PathTest::settle);
}

TEST_CASE("a check that was down before may prove the path, and is not waited for") {
  auto test = arrived({check(1)});
  CHECK(hear(test, check(7), false, start + 2s, start + 3s) == Finding::none);
  CHECK(test.state == PathTest::State::testing);
  CHECK(hear(test, check(7), true, start + 2s, start + 3s) == Finding::works);
}

TEST_CASE("probes from before the address came prove nothing, and those from just after fail for nothing") {
  auto test = arrived({check(1)});
  CHECK(hear(test, check(1), true, start - 1ms, start + 1ms) == Finding::none);
  CHECK(hear(test, check(1), false, start + PathTest::settle - 1ms, start + 3s) == Finding::none);
  CHECK(test.state == PathTest::State::testing);
}

TEST_CASE("when each check that was up has failed, the path is broken, once, until one passes") {
  auto test = arrived({check(1), check(2)});
  CHECK(hear(test, check(1), false, start + 2s, start + 3s) == Finding::none);
  CHECK(hear(test, check(1), false, start + 3s, start + 4s) == Finding::none);
  CHECK(hear(test, check(2), false, start + 2s, start + 5s) == Finding::broken);
  CHECK(hear(test, check(2), false, start + 6s, start + 7s) == Finding::none);
  CHECK(hold_until(test) == Instant::max());
  CHECK(hear(test, check(1), true, start + 60s, start + 61s) == Finding::works);
  CHECK(hold_until(test) == start + 61s);
}

TEST_CASE("an address that goes again ends the test") {
  auto test = arrived({check(1)});
  address_changed(test, false, {check(1)}, start + 5s);
  CHECK(hold_until(test) == start + 5s + PathTest::settle);
  CHECK(hear(test, check(1), false, start + 7s, start + 8s) == Finding::none);
  CHECK(test.state == PathTest::State::settled);
}

TEST_CASE("settings are changed only where the answers would be dropped") {
  const auto changes = [](const char* accept_all, const char* accept, const char* filter_all, const char* filter) {
    std::string text;
    for (const auto& [name, value] : needed({.accept_local_all = accept_all,
                                             .accept_local = accept,
                                             .rp_filter_all = filter_all,
                                             .rp_filter = filter})) {
      text += name + "=" + value + " ";
    }
    return text;
  };
  CHECK(changes("0", "1", "0", "0").empty());
  CHECK(changes("1", "0", "0", "2").empty());
  CHECK(changes("0", "1", "2", "1").empty());
  CHECK(changes("0", "1", "1", "2").empty());
  CHECK(changes("0", "0", "0", "0") == "accept_local=1 ");
  CHECK(changes("0", "1", "1", "0") == "rp_filter=2 ");
  CHECK(changes("0", "1", "0", "1") == "rp_filter=2 ");
  CHECK(changes("0", "0", "1", "1") == "accept_local=1 rp_filter=2 ");
}
