#include "director/engine/problems.h"

#include "test/catch.h"

using namespace std::chrono_literals;
using director::EventKind;
using director::Problem;

TEST_CASE("a problem keeps its time until it is over, whatever its reason becomes") {
  const net::WallTime noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 27) + 12h;
  const Problem web{EventKind::table_refused, "service web", "no scheduler wrr"};
  const Problem again{EventKind::table_refused, "service web", "no buffers"};
  const Problem mail{EventKind::table_refused, "service mail", "no buffers"};
  director::Problems problems;
  CHECK(problems.since(web, noon) == noon);
  problems.note({web}, noon);
  problems.note({again, mail}, noon + 1s);
  CHECK(problems.since(again, noon + 5s) == noon);
  CHECK(problems.since(mail, noon + 5s) == noon + 1s);
  problems.note({}, noon + 6s);
  CHECK(problems.since(web, noon + 7s) == noon + 7s);
}
