// The reference scenario as a test: every row is an assertion.

#include "test/catch.h"
#include "test/lab/view.h"

using namespace std::chrono_literals;

namespace {

void hold(const lab::Pair::Options& options) {
  lab::View view(0);
  const auto rows = lab::play(options, view);
  CHECK(rows.size() > 30);  // else it ended early
  for (const auto& row : rows) {
    INFO(row.step << " " << row.what << ": expected " << row.expected << ", measured " << row.measured);
    CHECK(row.holds);
  }
}

}  // namespace

TEST_CASE("the pair survives what the demo shows, with NAT", "[nat]") {
  hold({.forward = lab::Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()});
}

TEST_CASE("the pair survives what the demo shows, with DR", "[dr]") {
  hold({.forward = lab::Pair::Forward::dr, .advertise = 100ms, .programs = lab::programs_folder()});
}
