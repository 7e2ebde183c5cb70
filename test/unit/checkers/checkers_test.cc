#include "checkers/checkers.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>
#include <future>
#include <thread>

#include "server.h"
#include "shell.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

void answer_ok(Peer& peer) {
  peer.read();
  peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  peer.hold();
}

/// No further descriptor for this process while it lives.
struct NoDescriptors {
  rlimit before{};
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before);
    const net::Fd next(dup(0));
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before); }
};

}  // namespace

TEST_CASE("a listening server is up after its first probe, a closed port is down") {
  const Listener server;
  const Port closed;
  Shell shell;
  const auto up = check(server.endpoint, Tcp{});
  const auto down = check(closed.endpoint, Tcp{});
  shell.checks.set({{up, down}});
  CHECK(shell.checks.find(up)->state == HealthState::unknown);
  shell.run_until([&] { return shell.first_of(up) && shell.first_of(down); });
  CHECK(shell.checks.find(up)->state == HealthState::up);
  CHECK(shell.checks.find(up)->last == "connect " + to_string(up.target) + ": connected");
  CHECK(shell.checks.find(down)->state == HealthState::down);
  CHECK(shell.checks.find(down)->last == "connect " + to_string(down.target) + ": Connection refused");
  for (const auto* first : {shell.first_of(up), shell.first_of(down)}) {
    CHECK(first->before == HealthState::unknown);
    CHECK(first->change == HealthChange::changed);
  }
}

TEST_CASE("a server that dies is down after exactly fall failures and up again after rise passes") {
  const Listener server;
  Shell shell;
  const auto key = check(server.endpoint, Tcp{});
  shell.checks.set({{key}});
  const auto until = [&](HealthState state) {
    shell.run_until([&] { return shell.checks.find(key)->state == state; });
    std::vector<HealthChange> changes;
    for (const auto& each : std::exchange(shell.seen, {})) {
      if (each.change != HealthChange::none) changes.push_back(each.change);
    }
    return changes;
  };
  CHECK(until(HealthState::up) == std::vector{HealthChange::changed});
  server.stop();
  CHECK(until(HealthState::down) == std::vector{HealthChange::pending, HealthChange::pending, HealthChange::changed});
  server.start();
  CHECK(until(HealthState::up) == std::vector{HealthChange::pending, HealthChange::changed});
}

TEST_CASE("an http server is judged by its status") {
  Server good(answer_ok);
  Server bad([](Peer& peer) {
    peer.read();
    peer.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    peer.hold();
  });
  Shell shell;
  const auto passing = check(good.endpoint(), Http{.path = "/health"});
  const auto failing = check(bad.endpoint(), Http{.path = "/health"});
  shell.checks.set({{passing, failing}});
  shell.run_until([&] {
    return shell.checks.find(passing)->state != HealthState::unknown &&
           shell.checks.find(failing)->state != HealthState::unknown;
  });
  CHECK(shell.checks.find(passing)->last == "GET http://" + to_string(good.endpoint()) + "/health: status 200");
  CHECK(shell.checks.find(failing)->state == HealthState::down);
  CHECK(shell.checks.find(failing)->last ==
        "GET http://" + to_string(bad.endpoint()) + "/health: status 503, expected 200");
}

TEST_CASE("a probe closes with a RST and leaves no TIME_WAIT behind") {
  std::promise<int> ended_with;
  Server server([&, once = std::make_shared<std::once_flag>()](Peer& peer) {
    peer.hold();
    std::call_once(*once, [&] { ended_with.set_value(peer.error()); });
  });
  Shell shell;
  CHECK(shell.first_result(check(server.endpoint(), Tcp{})).outcome == Outcome::passed);
  shell.checks.set({});
  CHECK(ended_with.get_future().get() == ECONNRESET);
}

TEST_CASE("want of descriptors is ours, not the server's: shown, not counted, tried again") {
  const Listener server;
  Shell shell;
  const auto key = check(server.endpoint, Tcp{});
  {
    const NoDescriptors exhausted;
    const auto result = shell.first_result(key);
    CHECK(result.outcome == Outcome::not_run);
    CHECK(result.sentence ==
          "connect " + to_string(key.target) + ": could not be run: open a socket: Too many open files");
    CHECK(result.local_fault == "open a socket: Too many open files");
    CHECK(shell.seen[0].change == HealthChange::none);
    CHECK(shell.checks.find(key)->state == HealthState::unknown);
    REQUIRE(shell.checks.local_faults().size() == 1);
    CHECK(shell.checks.local_faults()[0].is_shortage);
  }
  shell.run_until([&] { return shell.checks.find(key)->state == HealthState::up; });
  CHECK(shell.checks.local_faults().empty());
}

TEST_CASE("no way from here is a failure, and told as this host's fault") {
  Shell shell;
  const auto result_of = [&](checkers::Path path, const char* to = "127.0.0.1:1") {
    auto key = check(*net::Endpoint::parse(to), Tcp{});
    key.spec.path = std::move(path);
    Shell one;
    return one.first_result(key);
  };
  const auto no_source = result_of({.source = net::Address::parse("192.0.2.77")});
  CHECK(no_source.outcome == Outcome::blocked);
  CHECK(no_source.local_fault == "bind to 192.0.2.77: Cannot assign requested address");
  const auto no_interface = result_of({.interface = "nowhere0"});
  CHECK(no_interface.outcome == Outcome::blocked);
  CHECK(no_interface.local_fault.starts_with("bind to interface nowhere0: "));
  const auto refused = result_of({});
  CHECK(refused.outcome == Outcome::failed);
  CHECK(refused.local_fault.empty());
}

TEST_CASE("a new set leaves the checks that stay untouched, in flight or not") {
  const Listener silent;  // accepts in the kernel, never answers
  const Listener other;
  const Port closed;
  Shell shell;
  const auto waiting = check(silent.endpoint, Http{});
  const auto quick = check(other.endpoint, Tcp{});
  shell.checks.set({{waiting, quick}});
  shell.run_until([&] { return shell.checks.in_flight() >= 1 && !shell.seen.empty(); });
  const auto since = shell.checks.find(quick)->since;

  const auto added = check(closed.endpoint, Tcp{});
  shell.checks.set({{quick, quick, waiting, added}});
  CHECK(shell.checks.size() == 3);
  CHECK(shell.checks.find(quick)->since == since);
  CHECK(shell.checks.find(waiting)->state == HealthState::unknown);
  CHECK(shell.checks.in_flight() >= 1);

  shell.checks.set({{quick}});
  CHECK(shell.checks.find(waiting) == nullptr);
  CHECK(shell.checks.find(added) == nullptr);
  shell.run_until([&] { return shell.checks.in_flight() == 0; });
}

TEST_CASE("a difference leaves the checks that stay untouched, and what it names twice or in vain") {
  const Listener silent, other;
  const Port closed;
  Shell shell;
  const auto waiting = check(silent.endpoint, Http{}), quick = check(other.endpoint, Tcp{});
  const auto added = check(closed.endpoint, Tcp{});
  auto slower = added;  // of another spec
  slower.spec.interval = 40ms;
  shell.checks.change({}, {{waiting, quick, quick}});
  CHECK(shell.checks.size() == 2);
  shell.run_until([&] { return shell.checks.in_flight() >= 1 && !shell.seen.empty(); });
  const auto since = shell.checks.find(quick)->since;

  shell.checks.change({{waiting, slower}}, {{added, quick}});
  CHECK(shell.checks.size() == 2);
  CHECK(shell.checks.find(waiting) == nullptr);
  CHECK(shell.checks.find(quick)->since == since);
  shell.run_until([&] { return shell.checks.find(added)->state == HealthState::down; });

  shell.checks.change({{quick, added}}, {{slower}});
  CHECK(shell.checks.size() == 1);
  shell.run_until([&] { return shell.checks.find(slower)->state == HealthState::down; });
  shell.checks.set({{slower, waiting}});  // one way may follow the other
  shell.checks.set({{waiting}});
  CHECK(shell.checks.size() == 1);
}

TEST_CASE("a check that is removed while its probe is under way never reports") {
  const Listener silent;
  Shell shell;
  const auto key = check(silent.endpoint, Http{}, 30ms);
  shell.checks.set({{key}});
  shell.run_until([&] { return shell.checks.in_flight() == 1; });
  shell.checks.set({});
  CHECK(shell.checks.in_flight() == 0);
  const auto until = net::monotonic_now() + 60ms;
  shell.run_until([&] { return net::monotonic_now() > until; });
  CHECK(shell.seen.empty());
}

TEST_CASE("specs come and go without being mixed up") {
  const Listener server;
  const Port closed;
  Shell shell;
  const auto plain = check(server.endpoint, Tcp{});
  auto slower = plain;
  slower.spec.interval = 40ms;
  const Key standard{.target = closed.endpoint, .spec = {}};
  shell.checks.set({{slower}});
  shell.checks.set({{standard}});  // takes the place of a freed spec
  shell.checks.set({{standard, plain}});
  shell.checks.set({{standard, plain}});
  REQUIRE(shell.checks.find(standard));
  REQUIRE(shell.checks.find(plain));
  CHECK_FALSE(shell.checks.find(slower));
  shell.run_until([&] { return shell.checks.find(standard)->state != HealthState::unknown; });
  CHECK(shell.checks.find(standard)->state == HealthState::down);
  shell.run_until([&] { return shell.checks.find(plain)->state == HealthState::up; });
}

TEST_CASE("a report may change the set of checks") {
  const Listener server;
  const Port closed;
  Shell shell;
  const auto first = check(server.endpoint, Tcp{});
  const auto second = check(closed.endpoint, Tcp{});
  shell.checks.set({{first, second}});
  shell.then = [&] { shell.checks.set({{second}}); };
  shell.run_until([&] { return shell.seen.size() >= 3; });
  shell.then = [&] { shell.checks.set({}); };
  shell.run_until([&] { return shell.checks.size() == 0; });
}

TEST_CASE("no more probes start in a turn than the budget allows") {
  const Listener silent;
  Shell shell;
  std::vector<Key> keys;
  for (int i = 0; i < 2 * Checkers::start_budget; ++i) {
    keys.push_back(check(silent.endpoint, Http{.path = fmt::format("/{}", i)}));
  }
  shell.checks.set(keys);
  std::this_thread::sleep_for(30ms);  // all are due
  REQUIRE(shell.loop.turn(0s));
  CHECK(shell.checks.in_flight() == Checkers::start_budget);
  REQUIRE(shell.loop.turn(0s));
  CHECK(shell.checks.in_flight() == 2 * Checkers::start_budget);
}

TEST_CASE("while nothing is known the pending interval sets the pace") {
  const Port closed;
  Shell shell;
  auto key = check(closed.endpoint, Tcp{});
  shell.checks.suppress_failures(key.target.address, net::Instant::max(), "the role has changed");
  key.spec.interval = 1h;
  key.spec.pending_interval = 10ms;
  shell.checks.set({{key}});
  shell.run_until([&] { return shell.seen.size() >= 3; });
  CHECK(shell.checks.find(key)->state == HealthState::unknown);
}

TEST_CASE("while failures of a target are suppressed, they say nothing; passes and later probes do") {
  const Listener server;
  const Port closed;
  Shell shell;
  const auto up = check(server.endpoint, Tcp{});
  const auto down = check(closed.endpoint, Tcp{});
  shell.checks.suppress_failures(up.target.address, net::Instant::max(), "the role has changed");
  shell.checks.set({{up, down}});
  shell.run_until([&] { return shell.first_of(up) && shell.first_of(down); });
  CHECK(shell.checks.find(up)->state == HealthState::up);
  CHECK(shell.checks.find(down)->state == HealthState::unknown);
  const auto& suppressed = shell.first_of(down)->result;
  CHECK(suppressed.suppressed);
  CHECK(suppressed.outcome == Outcome::not_run);
  CHECK(suppressed.sentence ==
        "connect " + to_string(down.target) + ": Connection refused; not counted: the role has changed");

  const auto released = shell.loop.now();
  shell.checks.suppress_failures(up.target.address, released, "");
  shell.seen.clear();
  shell.run_until([&] { return shell.checks.find(down)->state == HealthState::down; });
  for (const auto& each : shell.seen)
    CHECK((each.result.suppressed == (each.result.began < released) || each.key == up));
}

TEST_CASE("a check that is to be probed now is probed at once, and keeps its rhythm") {
  const Listener server;
  Shell shell;
  auto key = check(server.endpoint, Tcp{});
  key.spec.interval = 1h;
  shell.checks.set({{key}});
  shell.run_until([&] { return shell.seen.size() == 1; });
  for (std::size_t n = 2; n < 5; ++n) {
    shell.checks.probe_now(key);
    shell.run_until([&] { return shell.seen.size() == n; });
  }
  auto other = key;
  other.target.port = 1;
  shell.checks.probe_now(other);  // nobody's
}

TEST_CASE("checks of one target that differ only by their mark are two") {
  const Listener server;
  Shell shell;
  const auto plain = check(server.endpoint, Tcp{});
  auto marked = plain;
  marked.mark = 7;
  shell.checks.set({{plain, marked}});
  CHECK(shell.checks.size() == 2);
  CHECK(to_string(marked) == to_string(plain) + " mark 7");
  shell.run_until([&] { return shell.first_of(plain) && shell.first_of(marked); });
  shell.checks.set({{marked}});
  CHECK(shell.checks.find(plain) == nullptr);
  CHECK(shell.checks.find(marked) != nullptr);
}
