#include "checkers/local_faults.h"

#include <string>

#include "test/catch.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

Result blocked(const char* fault) {
  return {.outcome = Outcome::blocked, .sentence = std::string("tcp 10.0.0.7:80: ") + fault, .local_fault = fault};
}

/// Two checks.
struct World {
  std::string log;
  LocalFaults faults{[this](const LocalFault& fault, bool begins) {
    log += (begins ? "+" : "-") + fault.what + (fault.is_shortage ? " (short) " : " ");
  }};
  net::Instant now{100s};
  LocalFault *a = nullptr, *b = nullptr;

  void note(LocalFault*& check, const Result& result) {
    now += 1s;
    check = faults.note(check, result, now);
  }
};

const Result passed{.outcome = Outcome::passed, .sentence = "connected"};

}  // namespace

TEST_CASE_METHOD(World, "a fault of this host is told once, whatever number of checks meets it") {
  note(a, blocked("no route"));
  note(b, blocked("no route"));
  note(a, blocked("no route"));
  CHECK(log == "+no route ");
  REQUIRE(faults.now().size() == 1);
  CHECK(faults.now()[0].checks == 2);
  CHECK(faults.now()[0].example == "tcp 10.0.0.7:80: no route");
}

TEST_CASE_METHOD(World, "it is over when no check has met it for a while") {
  note(a, blocked("no route"));
  note(a, passed);
  CHECK(faults.now().empty());
  note(a, blocked("no route"));  // it comes and goes
  note(a, passed);
  CHECK(log == "+no route ");
  now += LocalFaults::quiet;
  note(b, passed);
  CHECK(log == "+no route -no route ");
  note(a, blocked("no route"));
  CHECK(log == "+no route -no route +no route ");
}

TEST_CASE_METHOD(World, "each is told for itself, and a check that meets another one leaves the first") {
  note(a, blocked("no route"));
  Result full = blocked("no descriptors");
  full.outcome = Outcome::not_run;
  note(b, full);
  note(a, full);
  CHECK(log == "+no route +no descriptors (short) ");
  REQUIRE(faults.now().size() == 1);
  CHECK(faults.now()[0].checks == 2);
}

TEST_CASE_METHOD(World, "a check that is gone meets none, and a result that is suppressed says nothing") {
  note(a, blocked("no route"));
  Result suppressed = passed;
  suppressed.suppressed = true;
  note(a, suppressed);
  CHECK(faults.now().size() == 1);
  faults.forget(a, now + LocalFaults::quiet);
  CHECK(faults.now().empty());
  CHECK(log == "+no route -no route ");
}
