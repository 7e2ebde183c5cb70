// What clients of the control socket cannot do to directord and to each other, whatever they send or leave unread.

#include <sys/resource.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <set>

#include "director/control/http_server.h"
#include "net/virtual_clock.h"
#include "raw_client.h"
#include "scratch.h"
#include "test/catch.h"
#include "test/unit/processor_time.h"

using director::HttpServer;
using director_test::RawClient;
using namespace std::chrono_literals;

namespace {

struct World {
  explicit World(net::Clock& by = net::host_clock()) : loop(net::Loop::create(by).value()) {
    auto made = HttpServer::listen(
        loop, socket,
        [this](const director::Request& request, HttpServer::Respond respond) {
          if (request.path == "/large") return respond({.body = large});
          if (request.path == "/shared") return respond({.body = {}, .shared = shared});
          respond({.body = "small\n"});
        },
        [](std::string_view path) { return path == "/files" ? std::size_t{16} << 20 : std::size_t{64} << 10; });
    REQUIRE(made);
    server = std::move(*made);
  }

  /// Turns the loop until it is so, for at most `limit` of the host's time.
  bool turn_until(const std::function<bool()>& is_so, net::Duration limit = 5s) {
    const auto deadline = net::monotonic_now() + limit;
    while (!is_so()) {
      if (net::monotonic_now() > deadline) return false;
      REQUIRE(loop.turn(1ms));
    }
    return true;
  }

  void turns(int count) {
    for (int i = 0; i < count; ++i) REQUIRE(loop.turn(0ms));
  }

  /// The status of a request by one more client; 0 where no answer comes.
  int ask(const std::string& target = "/") {
    RawClient client(socket);
    client.get(target);
    turn_until([&] { return client.read_some() || client.received().ends_with("small\n"); });
    return client.status();
  }

  director_test::Scratch scratch;
  std::filesystem::path socket = scratch.path / "control.sock";
  std::string large = std::string(std::size_t{10} << 20, 'x');
  std::shared_ptr<const std::string> shared = std::make_shared<const std::string>(large);
  net::Loop loop;
  std::unique_ptr<HttpServer> server;
};

/// The process may open no more descriptors than it has now.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const net::Fd next(dup(0));  // all numbers below it are taken
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptorsLeft() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptorsLeft(const NoDescriptorsLeft&) = delete;
  NoDescriptorsLeft& operator=(const NoDescriptorsLeft&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("after more connections than there are places the socket answers again") {
  World world;
  {
    std::deque<RawClient> many;
    for (int i = 0; i < 70; ++i) many.emplace_back(world.socket);
    world.turns(50);
  }
  world.turns(50);
  CHECK(world.ask() == 200);
}

TEST_CASE("clients that are idle, slow or never read do not keep others out") {
  World world;
  std::deque<RawClient> many;
  for (int i = 0; i < 300; ++i) {
    auto& client = many.emplace_back(world.socket);
    REQUIRE(client.connected());
    if (i % 3 == 1) client.send("GET / HT");
    if (i % 3 == 2) client.get("/large");
    if (i % 10 == 0) world.turns(1);
  }
  CHECK(world.ask() == 200);
  CHECK(world.ask() == 200);
}

TEST_CASE("a request that is not whole after its time is cut off, however often a byte of it comes") {
  net::VirtualClock clock;
  World world(clock);
  RawClient slow(world.socket);
  slow.send("GET / HTTP/1.1\r\nHost: ");
  bool closed = false;
  for (int second = 0; second < 60 && !closed; ++second) {
    slow.send("x");
    world.turns(3);
    clock.advance_to(clock.now() + 1s);
    world.turns(3);
    closed = slow.read_some();
  }
  CHECK(closed);
}

TEST_CASE("an answer that nobody reads is given up after its time") {
  net::VirtualClock clock;
  World world(clock);
  RawClient client(world.socket);
  client.get("/large");
  world.turns(10);
  clock.advance_to(clock.now() + 61s);
  world.turns(10);
  client.read_some();
  CHECK(client.status() == 200);
  CHECK(client.received().size() < world.large.size());
  CHECK(client.read_some());
}

TEST_CASE("answers that nobody reads take bounded memory together") {
  World world;
  std::deque<RawClient> many;
  for (int i = 0; i < 64; ++i) many.emplace_back(world.socket).get("/large");
  world.turns(200);
  const auto is_whole = [&](RawClient& client) {
    const auto all = [&] { return client.read_some() || client.received().size() > world.large.size(); };
    return world.turn_until(all) && client.received().size() > world.large.size();
  };
  const auto whole = std::ranges::count_if(many, is_whole);
  CHECK(whole >= 1);
  CHECK(whole <= 7);
}

TEST_CASE("without descriptors the loop does not spin, and one client at a time is answered") {
  World world;
  RawClient first(world.socket), second(world.socket);
  CHECK(first.get("/"));
  CHECK(second.get("/"));
  {
    const NoDescriptorsLeft none;
    const auto until = net::monotonic_now() + 500ms;
    int turns = 0;
    for (; net::monotonic_now() < until; ++turns) REQUIRE(world.loop.turn(until - net::monotonic_now()));
    CHECK(turns < 100);
    first.read_some();
    CHECK(first.status() == 200);
  }
  CHECK(world.turn_until([&] { return second.read_some() || second.status() != 0; }));
  CHECK(second.status() == 200);
  CHECK(world.ask() == 200);
}

TEST_CASE("a request with thousands of arguments is closed at once") {
  net::VirtualClock clock;  // stands still: no time is over
  World world(clock);
  const int count = GENERATE(2'000, 30'000);
  std::string target = "/?";
  for (int i = 0; i < count; ++i) target += "a&";
  RawClient client(world.socket);
  client.get(target);
  CHECK(world.turn_until([&] { return client.read_some(); }));
  CHECK(world.ask() == 200);
}

TEST_CASE("bodies take bounded memory together") {
  World world;
  std::deque<RawClient> many;
  const std::string part(10'000'000, 'x');
  const auto begin_request = [&](RawClient& client) {
    client.send("POST /files HTTP/1.1\r\nHost: x\r\nContent-Length: 10000001\r\n\r\n");
    for (std::size_t sent = 0; sent < part.size();) {
      const auto bytes = client.send_some(std::string_view(part).substr(sent));
      if (bytes < 0) return;
      sent += static_cast<std::size_t>(bytes);
      world.turns(1);
    }
  };
  for (int i = 0; i < 5; ++i) begin_request(many.emplace_back(world.socket));
  std::multiset<int> statuses;
  for (auto& client : many) {
    client.send("x");
    world.turn_until([&] { return client.read_some(); });
    statuses.insert(client.status());
  }
  CHECK(statuses == std::multiset<int>{200, 200, 200, 503, 503});

  RawClient client(world.socket);
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n" + std::string(65537, 'x'));
  CHECK(world.turn_until([&] { return client.read_some(); }));
  CHECK(client.status() == 413);
}

TEST_CASE("no turn of the loop takes long for hundreds of clients") {
  World world;
  std::deque<RawClient> many;
  std::chrono::nanoseconds longest{0};
  for (int i = 0; i < 300; ++i) {
    auto& client = many.emplace_back(world.socket);
    if (i % 3 == 1) client.send("GET / HT");
    if (i % 3 == 2) client.get("/shared");
  }
  // Also those that read now and then: each time there is something to send to all of them.
  for (int turn = 0; turn < 2000; ++turn) {
    if (turn % 100 == 99) {
      for (auto& client : many) client.read_some();
    }
    const auto before = processor_time();
    REQUIRE(world.loop.turn(1ms));
    longest = std::max<std::chrono::nanoseconds>(longest, processor_time() - before);
  }
  CAPTURE(longest);
  CHECK(longest < 10ms);  // an advertisement's interval at the least
}
