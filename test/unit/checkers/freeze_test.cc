// A process that was frozen (SIGSTOP, a suspended machine, a long turn of the loop) with many probes in flight must not
// take its own silence for the servers'.
#include <sys/epoll.h>

#include <fmt/format.h>
#include <atomic>
#include <semaphore>
#include <thread>
#include <unordered_map>

#include "server.h"
#include "shell.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

constexpr int probes = 500;

/// Answers every request, but none before it is told to.
class HeldServer {
 public:
  HeldServer() : thread_([this] { run(); }) {}
  ~HeldServer() {
    open();
    stopping_ = true;
    thread_.join();
  }

  [[nodiscard]] const net::Endpoint& endpoint() const { return listener_.endpoint; }
  void open() { held_ = false; }
  [[nodiscard]] int answered() const { return answered_; }

 private:
  void run() {
    const net::Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    std::unordered_map<int, net::Fd> connections;
    const auto add = [&](int fd) {
      epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
      epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event);
    };
    add(listener_.fd.get());
    while (!stopping_) {
      if (held_) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      epoll_event event{};
      if (epoll_wait(epoll.get(), &event, 1, 5) != 1) continue;
      if (event.data.fd == listener_.fd.get()) {
        net::Fd fd(accept4(listener_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!fd) continue;
        add(fd.get());
        connections.emplace(fd.get(), std::move(fd));
        continue;
      }
      char buffer[4096];
      if (recv(event.data.fd, buffer, sizeof buffer, 0) <= 0) {
        connections.erase(event.data.fd);
        continue;
      }
      constexpr std::string_view answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
      send(event.data.fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      ++answered_;
    }
  }

  Listener listener_;
  std::atomic<bool> held_ = true;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> answered_ = 0;
  std::thread thread_;
};

std::vector<Key> slow_checks(const net::Endpoint& target) {
  std::vector<Key> keys;
  for (int i = 0; i < probes; ++i) {
    keys.push_back(
        {.target = target, .spec = {.kind = Http{.path = fmt::format("/{}", i)}, .interval = 300ms, .timeout = 1s}});
  }
  return keys;
}

void expect_no_failure(Shell& shell) {
  shell.run_until([&] { return shell.seen.size() >= probes; });
  int failures = 0;
  for (const auto& each : shell.seen) {
    if (each.result.outcome != Outcome::passed && ++failures == 1) FAIL_CHECK(each.result.sentence);
  }
  CHECK(failures == 0);
}

}  // namespace

TEST_CASE("frozen for 1.5 s while 500 answers arrive: no failure") {
  HeldServer server;
  Shell shell;
  shell.checks.set(slow_checks(server.endpoint()));
  shell.run_until([&] { return shell.checks.in_flight() == probes; });
  for (int i = 0; i < 10; ++i) REQUIRE(shell.loop.turn(1ms));  // the requests are out
  server.open();
  std::this_thread::sleep_for(1500ms);
  CHECK(server.answered() == probes);
  expect_no_failure(shell);
}

TEST_CASE("frozen for 1.5 s between connecting and asking: the time lost is given back") {
  HeldServer server;
  Shell shell;
  shell.checks.set(slow_checks(server.endpoint()));
  std::this_thread::sleep_for(310ms);  // all are due
  while (shell.checks.in_flight() < probes) REQUIRE(shell.loop.turn(0s));
  std::this_thread::sleep_for(1500ms);  // the kernel has made the connections; most requests are not yet written
  REQUIRE(shell.loop.turn(0s));         // now they are, and every deadline has passed
  server.open();
  expect_no_failure(shell);
}

TEST_CASE("a freeze does not save a server that stays silent") {
  const Listener silent;
  Shell shell;
  const auto key = check(silent.endpoint, Http{}, 150ms);
  shell.checks.set({{key}});
  shell.run_until([&] { return shell.checks.in_flight() == 1; });
  std::this_thread::sleep_for(400ms);
  REQUIRE(shell.loop.turn(0s));
  CHECK(shell.seen.empty());  // 150 ms of running have not passed yet
  shell.run_until([&] { return !shell.seen.empty(); });
  CHECK(shell.seen.front().result.outcome == Outcome::failed);
  CHECK(shell.seen.front().result.took >= 500ms);
}
