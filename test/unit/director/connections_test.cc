#include "director/control/connections.h"

#include "test/catch.h"

using director::Connections;
using namespace std::chrono_literals;

namespace {

constexpr net::Instant start{1h};

Connections three_places() {
  return Connections(
      {.places = 3, .request = 10s, .answer = 30s, .grace = 1s, .answer_bytes = 100, .request_bytes = 10});
}

std::shared_ptr<const std::string> text(std::size_t size) {
  return std::make_shared<const std::string>(std::string(size, 'x'));
}

}  // namespace

TEST_CASE("a request and an answer have a time each, work has none") {
  auto connections = three_places();
  CHECK_FALSE(connections.next_due());
  connections.open(5, start);
  CHECK(connections.next_due() == start + 10s);
  CHECK(connections.overdue(start + 9s).empty());
  connections.begin_work(5);
  CHECK_FALSE(connections.next_due());
  CHECK(connections.overdue(start + 1h).empty());
  connections.begin_answer(5, text(1), start + 1h);
  CHECK(connections.next_due() == start + 1h + 30s);
  CHECK(connections.overdue(start + 1h + 30s) == std::vector{5});
  CHECK(connections.overdue(start + 2h).empty());  // each once
  CHECK_FALSE(connections.next_due());
}

TEST_CASE("the one that keeps the server waiting for longest gives way, first one without a request") {
  auto connections = three_places();
  connections.open(3, start);
  connections.begin_work(3);
  connections.begin_answer(3, text(1), start);
  connections.open(4, start);
  connections.open(5, start);
  CHECK(connections.full());
  CHECK_FALSE(connections.give_way(start + 999ms));
  CHECK(connections.give_way(start + 1s) == 4);
  connections.close(4);
  CHECK_FALSE(connections.full());
  CHECK(connections.give_way(start + 1s) == 5);
  CHECK(connections.give_way(start + 1s) == 3);
  CHECK_FALSE(connections.give_way(start + 1s));

  auto busy = three_places();
  busy.open(3, start);
  busy.begin_work(3);
  CHECK_FALSE(busy.give_way(start + 1h));
}

TEST_CASE("answers that take too much memory end, the oldest first; one of any size is kept, and so is a shared one") {
  auto connections = three_places();
  const auto answer = [&](int fd, const std::shared_ptr<const std::string>& with) {
    connections.open(fd, start);
    connections.begin_work(fd);
    connections.begin_answer(fd, with, start);
  };
  const auto large = text(90);
  answer(3, large);
  answer(4, large);
  CHECK(connections.overdue(start).empty());
  answer(5, text(10));
  CHECK(connections.overdue(start).empty());
  answer(6, text(1));
  CHECK(connections.overdue(start) == std::vector{3, 4});
  answer(7, text(1000));
  CHECK(connections.overdue(start) == std::vector{5, 6});
  CHECK(connections.overdue(start).empty());
}

TEST_CASE("bodies share their memory until they are worked on") {
  auto connections = three_places();
  connections.open(3, start);
  connections.open(4, start);
  CHECK(connections.take_body(3, 8));
  CHECK_FALSE(connections.take_body(4, 3));
  CHECK(connections.take_body(4, 2));
  connections.begin_work(3);
  CHECK(connections.take_body(4, 8));
}
