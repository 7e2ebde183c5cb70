#include "director/engine/table_reader.h"

#include <atomic>
#include <thread>

#include "ipvs/memory_kernel.h"
#include "shop.h"
#include "test/catch.h"
#include "test/unit/ipvs/forwarding_kernel.h"

using namespace std::chrono_literals;

namespace {

/// A kernel whose table takes long to read, and that counts how often it was.
struct Slow : ForwardingKernel {
  Slow(ipvs::Kernel& behind, std::atomic<int>& how_often) : ForwardingKernel(behind), readings(how_often) {}

  net::Result<std::vector<ipvs::ServiceRow>> services() override {
    ++readings;
    std::this_thread::sleep_for(50ms);
    return ForwardingKernel::services();
  }

  std::atomic<int>& readings;
};

struct World {
  net::Loop loop = net::Loop::create().value();
  std::atomic<int> readings = 0;
  ipvs::MemoryKernel memory;
  std::unique_ptr<director::TableReader> reader;
  int answered = 0;

  World() {
    memory.table[director_test::web().key].service.scheduler = "wrr";
    reader = director::TableReader::create(loop, std::make_unique<Slow>(memory, readings)).value();
  }

  void ask() {
    reader->read([this](const auto& table) {
      REQUIRE(table);
      CHECK((*table)->contains(director_test::web().key));
      ++answered;
    });
  }
  void turn_until_answered(int count) {
    const auto end = net::monotonic_now() + 10s;
    while (answered < count && net::monotonic_now() < end) REQUIRE(loop.turn(1s));
    CHECK(answered == count);
  }
};

}  // namespace

TEST_CASE("a table is read beside the loop, and who asks meanwhile shares the next reading") {
  World world;
  const auto begin = net::monotonic_now();
  for (int i = 0; i < 5; ++i) world.ask();
  CHECK(net::monotonic_now() - begin < 40ms);
  CHECK(world.answered == 0);
  world.turn_until_answered(5);
  CHECK(world.readings == 2);
  world.ask();
  world.turn_until_answered(6);
  CHECK(world.readings == 3);
}

TEST_CASE("a reader that ends forgets who waits") {
  World world;
  world.ask();
  world.ask();
  world.reader.reset();
  REQUIRE(world.loop.turn(0s));
  CHECK(world.answered == 0);
}
