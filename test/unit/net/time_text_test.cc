#include "net/time_text.h"

#include "test/catch.h"

using namespace std::chrono_literals;
using net::parse_timestamp;

namespace {

/// 14:03:12.345 on 2026-11-27, in UTC.
const net::WallTime then = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27) + 14h + 3min + 12s + 345ms;

}  // namespace

TEST_CASE("a time on the wall has a date, a zone, and for people an age") {
  CHECK(net::timestamp(then) == "2026-11-27T14:03:12.345Z");
  CHECK(net::timestamp(then - 345ms) == "2026-11-27T14:03:12.000Z");
  CHECK(net::timestamp_and_age(then, then) == "2026-11-27T14:03:12Z (0 s ago)");
  CHECK(net::timestamp_and_age(then, then + 3min) == "2026-11-27T14:03:12Z (3 min ago)");
  CHECK(net::timestamp_and_age(then, then + 50h) == "2026-11-27T14:03:12Z (2 d ago)");
  CHECK(net::timestamp_and_age(then, then + 47h) == "2026-11-27T14:03:12Z (47 h ago)");
  CHECK(net::timestamp_and_age(then, then - 90s) == "2026-11-27T14:03:12Z (in 1 min)");
}

TEST_CASE("a time on the wall is read back, and nothing else is") {
  CHECK(parse_timestamp("2026-11-27T14:03:12.345Z") == then);
  CHECK(parse_timestamp("2026-11-27T14:03:12Z") == then - 345ms);
  for (const char* text : {"", "-", "2026-11-27", "2026-11-27T14:03:12", "2026-11-27T14:03:12+01:00",
                           "2026-11-27T14:03:12.3Z", "2026-11-27T14:03:12.345", "2026-11-27T14:03:12.345Z."}) {
    CHECK(parse_timestamp(text) == std::nullopt);
  }
}
