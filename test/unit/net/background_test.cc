#include "net/background.h"

#include <atomic>
#include <memory>
#include <new>
#include <stop_token>
#include <string>
#include <thread>

#include "test/catch.h"
#include "test/unit/no_threads.h"

using net::Background;

namespace {

struct World {
  net::Loop loop = net::Loop::create().value();
  std::unique_ptr<Background> background = Background::create(loop).value();
  std::string log;

  void run(Background::Work work) {
    background->run(std::move(work), [this](const net::Error& error) { log += error.message; });
  }
  void until_told() {
    const auto limit = net::monotonic_now() + std::chrono::seconds(20);
    while (log.empty() && net::monotonic_now() < limit) REQUIRE(loop.turn(std::chrono::milliseconds(5)));
    CHECK_FALSE(background->busy());
  }
  void expect_done() {
    log.clear();
    run(well());
    until_told();
    CHECK(log == "done");
  }
  Background::Work well() {
    return [this] { return [this] { log += "done"; }; };
  }
};

}  // namespace

TEST_CASE_METHOD(World,
                 "where no thread can be made, who asked is told so on the loop, and the next time may be better") {
  {
    const net_test::NoThreads none;
    run(well());
    CHECK(log.empty());  // not from within
    until_told();
    CHECK(log == "start a thread: Resource temporarily unavailable");
  }
  expect_done();
}

TEST_CASE_METHOD(World, "a thread without memory ends its work, and not the process") {
  run([]() -> Background::Then { throw std::bad_alloc(); });
  until_told();
  CHECK(log == "std::bad_alloc");
  expect_done();
}

TEST_CASE_METHOD(World, "who ends asks the work under way to stop, and does not wait for it") {
  std::stop_source stop;
  const auto stopped = std::make_shared<std::atomic<bool>>(false);
  auto work = [stopped, token = stop.get_token()]() -> Background::Then {
    const auto limit = net::monotonic_now() + std::chrono::seconds(20);
    while (!token.stop_requested() && net::monotonic_now() < limit) std::this_thread::yield();
    *stopped = token.stop_requested();
    return [] {};
  };
  background->run(std::move(work), [](const net::Error&) {}, stop);
  background.reset();
  const auto limit = net::monotonic_now() + std::chrono::seconds(10);
  while (!*stopped && net::monotonic_now() < limit) std::this_thread::yield();
  CHECK(*stopped);
}
