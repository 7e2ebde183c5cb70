#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "director/engine/engine.h"
#include "durability.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

namespace director_test {

using director::Engine;

inline constexpr auto web1 = "192.168.200.11:80";
inline const ipvs::ServiceKey web_key = web().key;

/// A director's surroundings, which outlive it: kill it, and another begins where it stood.
struct World {
  Scratch scratch;
  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;

  std::unique_ptr<Engine> director(const config::Cluster& cluster = shop()) {
    auto made = std::make_unique<Engine>(
        loop, kernel, host, cluster,
        director::Options{.node = lb1(), .state_file = scratch.path / "state.json", .dry_run = true});
    REQUIRE(made->start());
    rest(*made);
    return made;
  }

  /// Until the disk has all that the director wants to keep.
  void rest(Engine& director) {
    // A busy machine's disk may take longer than an order waits.
    const auto deadline = net::monotonic_now() + std::chrono::seconds(60);
    auto why_not = told_durable(loop, director.store());
    while (!why_not.empty() && net::monotonic_now() < deadline) {
      REQUIRE(loop.turn(std::chrono::seconds(2)));
      why_not = told_durable(loop, director.store());
    }
    REQUIRE(why_not.empty());
  }

  /// What the next life would know.
  director::PersistentState saved(Engine& director) {
    rest(director);
    return director::load_state(scratch.path / "state.json").value();
  }

  /// Does what is due now: deadlines are rounded up to a millisecond, and a turn may end for something else first.
  void settle() {
    const auto due = net::monotonic_now() + std::chrono::milliseconds(1);
    while (net::monotonic_now() < due) REQUIRE(loop.turn(std::chrono::milliseconds(1)));
    REQUIRE(loop.turn(std::chrono::seconds(0)));
  }

  template <class Condition>
  void turn_until(Condition holds) {
    const auto deadline = net::monotonic_now() + std::chrono::seconds(10);
    while (!holds() && net::monotonic_now() < deadline) REQUIRE(loop.turn(std::chrono::seconds(2)));
    CHECK(holds());
  }

  [[nodiscard]] std::uint32_t weight(const char* server) const {
    return kernel.table.at(web_key).destinations.at(at(server)).destination.weight;
  }
};

}  // namespace director_test
