#include "net/loop.h"

#include <sys/eventfd.h>

#include <csignal>
#include <thread>
#include <vector>

#include "test/catch.h"

using namespace std::chrono_literals;
using net::Loop;

namespace {

net::Fd readable() { return net::Fd(eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC)); }

}  // namespace

TEST_CASE("deadlines fire in order, cancelled ones never") {
  auto loop = Loop::create();
  REQUIRE(loop);
  std::vector<int> fired;
  loop->after(2ms, [&] { fired.push_back(2); });
  loop->after(1ms, [&] { fired.push_back(1); });
  const auto never = loop->after(1ms, [&] { fired.push_back(99); });
  loop->after(4ms, [&] { loop->stop(); });
  loop->cancel(never);
  REQUIRE(loop->run());
  CHECK(fired == std::vector{1, 2});
}

TEST_CASE("after a freeze, I/O that arrived is seen before the deadlines that passed") {
  auto loop = Loop::create();
  const auto fd = readable();
  std::vector<std::string> order;
  Loop::Id timeout = 0;
  REQUIRE(loop->watch(fd.get(), EPOLLIN | EPOLLET, [&](std::uint32_t) {
    order.push_back("answer");
    loop->cancel(timeout);
  }));
  timeout = loop->after(1ms, [&] { order.push_back("timeout"); });
  std::this_thread::sleep_for(5ms);  // the freeze: both are due when the loop next looks
  REQUIRE(loop->turn(0s));
  CHECK(order == std::vector<std::string>{"answer"});
}

TEST_CASE("a handler may unwatch itself and its neighbour within the same turn") {
  auto loop = Loop::create();
  const auto a = readable();
  const auto b = readable();
  int calls = 0;
  Loop::Id first = 0;
  Loop::Id second = 0;
  const auto both = [&](std::uint32_t) {
    ++calls;
    loop->unwatch(first);
    loop->unwatch(second);
  };
  first = loop->watch(a.get(), EPOLLIN, both).value();
  second = loop->watch(b.get(), EPOLLIN, both).value();
  REQUIRE(loop->turn(0s));
  REQUIRE(loop->turn(0s));
  CHECK(calls == 1);
}

TEST_CASE("a timer set by a timer waits for the next turn, even when it is due at once") {
  auto loop = Loop::create();
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth < 3) loop->at(loop->now() - 1s, again);
  };
  loop->at(loop->now() - 1s, again);
  REQUIRE(loop->turn(0s));
  CHECK(depth == 1);
  REQUIRE(loop->turn(0s));
  REQUIRE(loop->turn(0s));
  CHECK(depth == 3);
}

TEST_CASE("more ready descriptors than one wait returns are all served before a deadline") {
  auto loop = Loop::create();
  std::vector<net::Fd> fds;
  int served = 0;
  int served_at_deadline = -1;
  for (int i = 0; i < 600; ++i) {
    fds.push_back(readable());
    REQUIRE(loop->watch(fds.back().get(), EPOLLIN | EPOLLET, [&](std::uint32_t) { ++served; }));
  }
  loop->at(loop->now(), [&] { served_at_deadline = served; });
  std::this_thread::sleep_for(2ms);
  REQUIRE(loop->turn(0s));
  CHECK(served_at_deadline == 600);
}

TEST_CASE("signals arrive as events") {
  auto loop = Loop::create();
  int seen = 0;
  REQUIRE(loop->on_signals({SIGUSR1}, [&](int signal) {
    seen = signal;
    loop->stop();
  }));
  std::raise(SIGUSR1);
  REQUIRE(loop->run());
  CHECK(seen == SIGUSR1);
}

TEST_CASE("watching a closed descriptor is an error that says so") {
  auto loop = Loop::create();
  const auto id = loop->watch(-1, EPOLLIN, [](std::uint32_t) {});
  REQUIRE_FALSE(id);
  CHECK(id.error().message == "watch a descriptor: Bad file descriptor");
}
