// The control sockets' thread beside a director's loop.
#include "director/control/control_thread.h"

#include <deque>
#include <functional>
#include <set>
#include <thread>

#include "raw_client.h"
#include "scratch.h"
#include "test/catch.h"
#include "test/unit/no_threads.h"

using director::ControlThread;
using director::HttpServer;
using director_test::RawClient;
using namespace std::chrono_literals;

namespace {

struct World {
  World() {
    auto made = ControlThread::open(
        loop, scratch.path, {},
        {.operators = [this](const director::Request& request,
                             HttpServer::Respond respond) { handle(request, std::move(respond)); },
         .readers = [](const director::Request&, HttpServer::Respond respond) { respond({.body = "read\n"}); }});
    REQUIRE(made);
    control = std::move(*made);
  }

  void handle(const director::Request& request, HttpServer::Respond respond) {
    threads.insert(std::this_thread::get_id());
    if (request.path == "/later") return kept.push_back(std::move(respond));
    respond({.body = request.path});
  }

  bool turn_until(const std::function<bool()>& is_so) {
    const auto deadline = net::monotonic_now() + 20s;
    while (!is_so()) {
      if (net::monotonic_now() > deadline) return false;
      REQUIRE(loop.turn(1ms));
    }
    return true;
  }

  std::string ask(const std::string& socket, const std::string& target) {
    RawClient client(scratch.path / socket);
    client.get(target);
    REQUIRE(turn_until([&] { return client.read_some(); }));
    return client.received().substr(client.received().find("\r\n\r\n") + 4);
  }

  void set_readers(bool wanted) {
    std::optional<net::Result<>> set;
    director::SocketGroups groups;
    if (wanted) groups.readers = director::Group{.name = "own", .id = getgid()};
    control->set_groups(groups, [&](net::Result<> done) { set = std::move(done); });
    REQUIRE(turn_until([&] { return set.has_value(); }));
    REQUIRE(*set);
  }

  director_test::Scratch scratch;
  net::Loop loop = net::Loop::create().value();
  std::set<std::thread::id> threads;
  std::deque<HttpServer::Respond> kept;
  std::unique_ptr<ControlThread> control;
};

}  // namespace

TEST_CASE("requests are handled on the director's loop, at once or later") {
  World world;
  REQUIRE(world.control->start());
  CHECK(world.ask("control.sock", "/now") == "/now");
  RawClient client(world.scratch.path / "control.sock");
  client.get("/later");
  REQUIRE(world.turn_until([&] { return !world.kept.empty(); }));
  world.kept.front()({.body = "then"});
  REQUIRE(world.turn_until([&] { return client.read_some(); }));
  CHECK(client.received().ends_with("then"));
  CHECK(world.threads == std::set{std::this_thread::get_id()});
}

TEST_CASE("clients wait until the thread starts") {
  World world;
  RawClient client(world.scratch.path / "control.sock");
  client.get("/early");
  REQUIRE(world.loop.turn(1ms));
  CHECK(client.status() == 0);
  REQUIRE(world.control->start());
  REQUIRE(world.turn_until([&] { return client.read_some(); }));
  CHECK(client.received().ends_with("/early"));
}

TEST_CASE("hundreds of clients that send no whole request are not the director's loop's") {
  World world;
  REQUIRE(world.control->start());
  std::deque<RawClient> many;
  for (int i = 0; i < 300; ++i) {
    many.emplace_back(world.scratch.path / "control.sock");
    many.back().send("GET / HT");
  }
  int turns = 0;
  bool over = false;
  world.loop.after(500ms, [&] { over = true; });
  while (!over) {
    REQUIRE(world.loop.turn(1h));
    ++turns;
  }
  CHECK(turns <= 2);  // the timer's own
  CHECK(world.threads.empty());
  CHECK(world.ask("control.sock", "/now") == "/now");
}

TEST_CASE("requests that wait at the end are told so, and their answers are dropped") {
  World world;
  REQUIRE(world.control->start());
  RawClient client(world.scratch.path / "control.sock");
  client.get("/later");
  REQUIRE(world.turn_until([&] { return !world.kept.empty(); }));
  world.control.reset();
  CHECK(client.read_some());
  CHECK(client.status() == 503);
  world.kept.front()({.body = "then"});
  CHECK_FALSE(std::filesystem::exists(world.scratch.path / "control.sock"));
}

TEST_CASE("the readers' socket comes and goes while clients use it") {
  World world;
  REQUIRE(world.control->start());
  world.set_readers(true);
  CHECK(world.ask("status.sock", "/") == "read\n");
  RawClient client(world.scratch.path / "status.sock");
  client.get("/");
  world.set_readers(false);
  CHECK(world.turn_until([&] { return client.read_some(); }));
  CHECK_FALSE(RawClient(world.scratch.path / "status.sock").connected());
  CHECK(world.ask("control.sock", "/now") == "/now");
}

TEST_CASE("a thread that cannot be started is an error") {
  World world;
  const net_test::NoThreads none;
  const auto started = world.control->start();
  REQUIRE_FALSE(started);
  CHECK(started.error().message.starts_with("start the thread of the control sockets: "));
}
