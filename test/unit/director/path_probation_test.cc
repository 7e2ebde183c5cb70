#include "director/engine/path_probation.h"

#include "director/engine/path_settings.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using director::needed;
using director::PathProbation;
using director::ProbationOutcome;
using director::record_result;
using net::Instant;

namespace {

const Instant start = Instant(1000s);

checkers::Key check(std::uint32_t mark) {
  return {.target = net::Endpoint::parse("192.0.2.1:80").value(), .spec = {}, .mark = mark};
}

PathProbation arrived(std::set<checkers::Key> up) {
  PathProbation probation;
  address_changed(probation, true, std::move(up), start);
  return probation;
}

}  // namespace

TEST_CASE("while nothing changes, every failure counts") {
  PathProbation probation;
  CHECK(record_result(probation, check(1), false, start, start) == ProbationOutcome::none);
  CHECK(suppress_until(probation) <= Instant{});
}

TEST_CASE("when the address goes, failures of probes that begin within the next second do not count") {
  PathProbation probation;
  address_changed(probation, false, {check(1)}, start);
  CHECK(suppress_until(probation) == start + PathProbation::settle);
}

TEST_CASE("an address that comes where no check is up is not put to the test") {
  auto probation = arrived({});
  CHECK(suppress_until(probation) == start + PathProbation::settle);
  CHECK(record_result(probation, check(1), false, start + 2s, start + 3s) == ProbationOutcome::none);
}

TEST_CASE("an address that comes holds all failures until one check passes") {
  auto probation = arrived({check(1), check(2)});
  CHECK(suppress_until(probation) == Instant::max());
  CHECK(record_result(probation, check(1), false, start + 2s, start + 3s) == ProbationOutcome::none);
  CHECK(suppress_until(probation) == Instant::max());
  CHECK(record_result(probation, check(2), true, start + 2s, start + 4s) == ProbationOutcome::works);
  CHECK(suppress_until(probation) == start + 4s);
  CHECK(record_result(probation, check(1), false, start + 5s, start + 6s) == ProbationOutcome::none);  // counts, as any
}

TEST_CASE("an early pass does not shorten the time that all need to settle") {
  auto probation = arrived({check(1)});
  CHECK(record_result(probation, check(1), true, start, start + 1ms) == ProbationOutcome::works);
  CHECK(suppress_until(probation) == start + PathProbation::settle);
}

TEST_CASE("a check that was down before may prove the path, and is not waited for") {
  auto probation = arrived({check(1)});
  CHECK(record_result(probation, check(7), false, start + 2s, start + 3s) == ProbationOutcome::none);
  CHECK(probation.state == PathProbation::State::testing);
  CHECK(record_result(probation, check(7), true, start + 2s, start + 3s) == ProbationOutcome::works);
}

TEST_CASE("probes from before the address came prove nothing, and those from just after fail for nothing") {
  auto probation = arrived({check(1)});
  CHECK(record_result(probation, check(1), true, start - 1ms, start + 1ms) == ProbationOutcome::none);
  CHECK(record_result(probation, check(1), false, start + PathProbation::settle - 1ms, start + 3s) ==
        ProbationOutcome::none);
  CHECK(probation.state == PathProbation::State::testing);
}

TEST_CASE("when each check that was up has failed, the path is broken, once, until one passes") {
  auto probation = arrived({check(1), check(2)});
  CHECK(record_result(probation, check(1), false, start + 2s, start + 3s) == ProbationOutcome::none);
  CHECK(record_result(probation, check(1), false, start + 3s, start + 4s) == ProbationOutcome::none);
  CHECK(record_result(probation, check(2), false, start + 2s, start + 5s) == ProbationOutcome::broken);
  CHECK(record_result(probation, check(2), false, start + 6s, start + 7s) == ProbationOutcome::none);
  CHECK(suppress_until(probation) == Instant::max());
  CHECK(record_result(probation, check(1), true, start + 60s, start + 61s) == ProbationOutcome::works);
  CHECK(suppress_until(probation) == start + 61s);
}

TEST_CASE("an address that goes again ends the test") {
  auto probation = arrived({check(1)});
  address_changed(probation, false, {check(1)}, start + 5s);
  CHECK(suppress_until(probation) == start + 5s + PathProbation::settle);
  CHECK(record_result(probation, check(1), false, start + 7s, start + 8s) == ProbationOutcome::none);
  CHECK(probation.state == PathProbation::State::settled);
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
