// The status as text, a piece in each turn of the loop.
#include <nlohmann/json.hpp>

#include "director/control/status.h"
#include "director/control/status_writer.h"
#include "director/engine/engine.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "test/catch.h"
#include "test/unit/director/shop.h"

using namespace std::chrono_literals;

namespace {

config::Cluster cluster_of(int services) {
  auto cluster = director_test::shop();
  const auto service = cluster.services.front();
  cluster.services.clear();
  for (int i = 0; i < services; ++i) {
    cluster.services.push_back(service);
    cluster.services.back().name = "web" + std::to_string(i);
    cluster.services.back().key.endpoint.port = static_cast<std::uint16_t>(1000 + i);
  }
  return cluster;
}

director::StatusWriter::Table table_of(const director::Engine& engine) {
  return std::make_shared<const net::Result<ipvs::Snapshot>>(engine.kernel().list());
}

struct Large {
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine director{
      loop, kernel, host, cluster_of(300), {.node = director_test::lb1(), .state_file = {}, .dry_run = true}};
  director::StatusWriter writer{director};
  std::vector<std::string> written;

  Large() {
    REQUIRE(director.start());
    REQUIRE(loop.turn({}));
  }

  void ask() {
    writer.write(table_of(director), [this](const auto& text) { written.push_back(*text); });
  }
  /// How many turns it took until so many were written.
  int turn_until_written(std::size_t count) {
    int turns = 0;
    for (; written.size() < count; ++turns) REQUIRE(loop.turn(5s));
    return turns;
  }
};

}  // namespace

TEST_CASE("a status in pieces is the same as one that is made at once, and lets other timers in between") {
  Large large;
  int ticks = 0;
  std::function<void()> tick = [&] {
    ++ticks;
    large.loop.at(large.loop.now(), [&] { tick(); });
  };
  tick();
  large.ask();
  large.ask();
  CHECK(large.turn_until_written(2) >= 2 * 300 * 3 / 50);
  CHECK(ticks >= 2 * 300 * 3 / 50);
  const std::string whole = director::status(large.director).dump() + "\n";
  CHECK(large.written[0] == whole);
  CHECK(large.written[1] == whole);
}

TEST_CASE("who asks for the status of one table at once gets one text") {
  Large large;
  const auto table = table_of(large.director);
  std::vector<std::shared_ptr<const std::string>> texts;
  const auto ask = [&] { large.writer.write(table, [&](auto text) { texts.push_back(std::move(text)); }); };
  ask();
  ask();
  REQUIRE(large.loop.turn(5s));
  ask();  // the first is begun: what changed since must be in this one
  while (texts.size() < 3) REQUIRE(large.loop.turn(5s));
  CHECK(texts[0] == texts[1]);
  CHECK(texts[1] != texts[2]);
}

TEST_CASE("a status that a reload comes into shows the new file alone") {
  Large large;
  large.ask();
  for (int turns = 0; turns < 3; ++turns) REQUIRE(large.loop.turn(5s));
  REQUIRE(large.director.reload({.cluster = cluster_of(20), .node = director_test::lb1()}, "a test"));
  large.turn_until_written(1);
  const auto status = nlohmann::json::parse(large.written[0]);
  CHECK(status["services"].size() == 20);
  large.ask();
  REQUIRE(large.director.reload({.cluster = cluster_of(0), .node = director_test::lb1()}, "a test"));
  large.turn_until_written(2);
  CHECK(nlohmann::json::parse(large.written[1])["services"].empty());
}

TEST_CASE("who is told a status may ask for the next at once") {
  Large large;
  large.writer.write(table_of(large.director), [&](const auto& text) {
    large.written.push_back(*text);
    large.ask();
  });
  large.turn_until_written(2);
  CHECK(large.written[0] == large.written[1]);
  for (int turns = 0; turns < 3; ++turns) REQUIRE(large.loop.turn({}));
  CHECK(large.written.size() == 2);
}

TEST_CASE("a status that nobody can finish any more ends with its director") {
  net::Loop loop = net::Loop::create().value();
  bool written = false;
  {
    ipvs::MemoryKernel kernel;
    net::KernelHost host;
    director::Engine director(loop, kernel, host, cluster_of(300),
                              {.node = director_test::lb1(), .state_file = {}, .dry_run = true});
    REQUIRE(director.start());
    director::StatusWriter writer(director);
    writer.write(table_of(director), [&](const auto&) { written = true; });
    REQUIRE(loop.turn({}));
  }
  REQUIRE(loop.turn({}));
  CHECK_FALSE(written);
}
