#include "director/engine/state_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "durability.h"
#include "net/fd.h"
#include "net/virtual_clock.h"
#include "scratch.h"
#include "test/catch.h"

using director::PersistentState;
using director::StateStore;
using namespace std::chrono_literals;

namespace {

struct Disk {
  director_test::Scratch scratch;
  std::filesystem::path file = scratch.path / "state.json";
  net::Loop loop = net::Loop::create().value();
  director::EventLog log{loop.clock(), {}};
  std::optional<StateStore> store;

  Disk() { open(); }

  void open() {
    store.emplace(loop, log);
    store->open(director::StateFile::create(loop, file).value());
  }

  void weigh(const std::string& server, std::uint32_t weight) {
    store->update([&](PersistentState& state) {
      state.orders.standing[server].weight = director::Overrides::Weight{.value = weight};
      return true;
    });
  }

  /// Why what has been updated is not durable, as it is told; "": it is.
  std::string told() { return director_test::told_durable(loop, *store); }

  [[nodiscard]] std::uint32_t saved(const std::string& server) const {
    return director::load_state(file).value().orders.standing.at(server).weight->value;
  }

  [[nodiscard]] int events(director::EventKind kind) const {
    return static_cast<int>(std::ranges::count(log.events(), kind, &director::Event::kind));
  }
};

}  // namespace

TEST_CASE("an update is in memory at once, and told to be durable when the next life would know it") {
  Disk disk;
  disk.weigh("web/web1", 7);
  CHECK(disk.store->state().orders.standing.at("web/web1").weight->value == 7);
  CHECK(disk.told().empty());
  CHECK(disk.saved("web/web1") == 7);
  disk.open();
  CHECK(disk.store->state().orders.standing.at("web/web1").weight->value == 7);
}

TEST_CASE("who waits for one update is not kept by those after it") {
  Disk disk;
  int told = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    disk.weigh("web/web1", i);
    disk.store->when_durable([&, i](const std::string& why) {
      CHECK(why.empty());
      CHECK(disk.saved("web/web1") >= i);
      ++told;
    });
    REQUIRE(disk.loop.turn(1ms));
  }
  CHECK(told > 0);
  while (told < 100) REQUIRE(disk.loop.turn(2s));
  CHECK(disk.saved("web/web1") == 99);
}

TEST_CASE("what the disk refuses is in force, a problem, and tried again until it is there") {
  Disk disk;
  std::filesystem::create_directory(disk.file.string() + ".new");  // where the state is written first
  disk.weigh("web/web1", 7);
  CHECK_THAT(disk.told(), Catch::ContainsSubstring("state.json.new: Is a directory; a restart would lose"));
  CHECK(disk.told() == disk.store->unsaved());
  disk.weigh("web/web2", 8);
  CHECK_FALSE(disk.told().empty());
  CHECK(disk.events(director::EventKind::state_error) == 1);
  std::filesystem::remove(disk.file.string() + ".new");
  while (!disk.store->unsaved().empty()) REQUIRE(disk.loop.turn(2s));
  CHECK(disk.events(director::EventKind::state_saved) == 1);
  CHECK(disk.saved("web/web2") == 8);
}

TEST_CASE("a disk that does not answer is waited for no longer than a second, and keeps nobody else waiting") {
  Disk disk;
  const auto hangs = disk.file.string() + ".new";
  REQUIRE(mkfifo(hangs.c_str(), 0600) == 0);  // opening it for writing waits for a reader
  disk.weigh("web/web1", 7);
  const auto began = net::monotonic_now();
  CHECK_THAT(disk.told(), Catch::ContainsSubstring("state.json.new: the disk does not answer") ||
                              Catch::ContainsSubstring("state.json: the disk does not answer"));
  CHECK(net::monotonic_now() - began < 3s);
  CHECK_FALSE(disk.store->unsaved().empty());

  const net::Fd reader(::open(hangs.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  std::filesystem::remove(hangs);
  while (!disk.store->unsaved().empty()) REQUIRE(disk.loop.turn(2s));
  CHECK(disk.saved("web/web1") == 7);
}

TEST_CASE("a disk that does not answer does not keep the store from ending") {
  Disk disk;
  const auto hangs = disk.file.string() + ".new";
  REQUIRE(mkfifo(hangs.c_str(), 0600) == 0);
  disk.weigh("web/web1", 7);
  CHECK_FALSE(disk.told().empty());
  const auto began = net::monotonic_now();
  disk.store.reset();
  CHECK(net::monotonic_now() - began < 5s);
  // Lets what hangs go on: the leak sanitizer cannot stop it, and would wait for it.
  const net::Fd reader(::open(hangs.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  std::filesystem::remove(hangs);
}

TEST_CASE("a clock set back while nothing ran gives no drain more time than it had at first") {
  Disk disk;
  disk.store->update([&](PersistentState& state) {
    const auto began = disk.store->now() + 30min;
    state.orders.standing["web/web1"].drain =
        director::Overrides::Drain{.since = began, .reason = "", .deadline = began + 10min};
    return true;
  });
  CHECK(disk.told().empty());
  disk.open();
  const auto& drain = disk.store->state().orders.standing.at("web/web1").drain;
  CHECK(drain->since <= disk.store->now());
  CHECK(*drain->deadline == drain->since + 10min);
}

TEST_CASE("who sets the clock gives no drain more time, or less") {
  const auto by = GENERATE(std::chrono::seconds(-3600), std::chrono::seconds(7200));
  net::VirtualClock clock;
  net::Loop loop = net::Loop::create(clock).value();
  director::EventLog log(loop.clock(), {});
  StateStore store(loop, log);
  std::optional<net::WallTime::duration> moved;
  store.follow_clock([&](net::WallTime::duration step) { moved = step; });
  store.update([&](PersistentState& state) {
    state.orders.standing["web/web1"].drain = director::Overrides::Drain{
        .since = store.now(), .reason = "", .deadline = store.now() + std::chrono::minutes(10)};
    return true;
  });
  const auto left = [&] { return *store.state().orders.standing.at("web/web1").drain->deadline - store.now(); };

  clock.set_wall(clock.wall() + by);
  CHECK(left() == std::chrono::minutes(10));  // before anybody has looked, too
  clock.advance_to(clock.now() + 2s);
  for (int turn = 0; turn < 3; ++turn) REQUIRE(loop.turn({}));
  CHECK(left() == std::chrono::minutes(10) - 2s);
  CHECK(moved == by);
  CHECK(store.now() == clock.wall());
  REQUIRE(log.events().size() == 1);
  CHECK(log.events().front().kind == director::EventKind::clock_set);
}
