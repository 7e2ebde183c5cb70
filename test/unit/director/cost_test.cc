// What the loop pays for an event, counted in allocations, which no other load on the machine changes. A program of its
// own, since it counts those of all.

#include <cstdlib>
#include <new>
#include <nlohmann/json.hpp>

#include "director/control/status.h"
#include "director/engine/engine.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "shop.h"
#include "test/catch.h"

namespace {
std::size_t allocations = 0;
}  // namespace

// Not inlined: the compiler would hold a delete of ours against the new that it has lost sight of.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace std::chrono_literals;

/// For each of so many servers, all of one service, which fail at once: they share a check, of a port that is closed.
double allocations_a_failed_server(std::size_t servers) {
  auto cluster = director_test::shop();
  auto& web = cluster.services[0];
  web.checks = {{.kind = checkers::Tcp{},
                 .interval = 10s,
                 .timeout = 9s,
                 .thresholds = {.rise = 1, .fall = 1},
                 .address = net::Address::parse("127.0.0.1").value(),
                 .port = 9}};
  web.servers.clear();
  for (std::size_t i = 0; i < servers; ++i) {
    const auto address = net::Address::parse("10.0.0." + std::to_string(i + 1)).value();
    web.servers.push_back({.name = "w" + std::to_string(i), .endpoint = {.address = address, .port = 80}});
  }
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine director(loop, kernel, host, cluster,
                            {.node = director_test::lb1(), .state_file = {}, .dry_run = true});
  REQUIRE(director.start());
  const auto failed = [&] { return director::events_status(director)["events"].size() >= servers; };
  const auto limit = net::monotonic_now() + 10s;
  std::size_t last_turn = 0;
  while (!failed() && net::monotonic_now() < limit) {
    const auto before = allocations;
    REQUIRE(loop.turn(1s));
    last_turn = allocations - before;
  }
  REQUIRE(failed());
  return static_cast<double>(last_turn) / static_cast<double>(servers);
}

}  // namespace

TEST_CASE("what a server's failure costs does not grow with the servers of its service") {
  const auto few = allocations_a_failed_server(50), many = allocations_a_failed_server(200);
  CAPTURE(few, many);
  CHECK(few > 1);
  CHECK(many < few * 1.5);
}
