#include "director/engine/path_test.h"

#include <algorithm>
#include <utility>

namespace director {

void address_changed(PathTest& test, bool here, std::set<checkers::Key> up, net::Instant now) {
  test.changed = now;
  test.count_from = now + PathTest::settle;
  test.state = here && !up.empty() ? PathTest::State::testing : PathTest::State::settled;
  test.awaited = std::move(up);
}

Finding hear(PathTest& test, const checkers::Key& key, bool passed, net::Instant began, net::Instant now) {
  if (test.state == PathTest::State::settled || began < test.changed) return Finding::none;
  if (passed) {
    test.state = PathTest::State::settled;
    test.count_from = std::max(test.count_from, now);
    test.awaited.clear();
    return Finding::works;
  }
  if (test.state == PathTest::State::broken || began < test.count_from) return Finding::none;
  test.awaited.erase(key);
  if (!test.awaited.empty()) return Finding::none;
  test.state = PathTest::State::broken;
  return Finding::broken;
}

net::Instant hold_until(const PathTest& test) {
  return test.state == PathTest::State::settled ? test.count_from : net::Instant::max();
}

}  // namespace director
