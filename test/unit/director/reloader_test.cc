// A reading that takes longer than a minute is given up. The minute passes on a clock of the test's own.

#include "director/engine/reloader.h"

#include <latch>

#include "api_world.h"
#include "net/virtual_clock.h"

using namespace std::chrono_literals;
using director::Reloader;

TEST_CASE("a reading that takes longer than a minute is given up, and the next one begins anew") {
  director_test::Scratch scratch;
  net::VirtualClock clock;
  auto loop = net::Loop::create(clock).value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine engine{loop, kernel, host, director_test::shop(),
                          director::Options{.node = director_test::lb1(), .state_file = {}, .dry_run = true}};
  REQUIRE(engine.start());
  const auto name = (scratch.path / "cluster.yaml").string();
  const auto reloader =
      Reloader::create(loop, engine, {.file = name, .node = "lb1", .host_name = "x"}, {}, [](const auto&) {
        return net::Result<std::move_only_function<void()>>();
      }).value();

  std::unique_ptr<std::expected<Reloader::Outcome, director::Refused>> got;
  /// What comes of a reading during which so much time passes.
  const auto read_for = [&](net::Duration time) {
    got.reset();
    std::latch may_go_on(1);
    reloader->plan(
        [&]() -> std::expected<std::vector<config::Source>, director::Refused> {
          may_go_on.wait();
          return std::vector{
              config::Source{.name = name,
                             .text = "cluster: shop\nnodes: { lb1: { address: 192.168.56.11, priority: 150 } }\n" +
                                     director_test::one_more}};
        },
        [&](auto outcome) {
          got = std::make_unique<std::expected<Reloader::Outcome, director::Refused>>(std::move(outcome));
        });
    clock.advance_to(clock.now() + time);
    REQUIRE(loop.turn(0ms));
    CHECK(got == nullptr);
    may_go_on.count_down();
    const auto limit = net::monotonic_now() + 20s;
    while (!got && net::monotonic_now() < limit) REQUIRE(loop.turn(0ms));
    REQUIRE(got != nullptr);
  };

  read_for(59s);
  REQUIRE(got->has_value());
  CHECK(to_string((*got)->change) == "1 server added");

  read_for(61s);
  REQUIRE_FALSE(got->has_value());
  CHECK(got->error().why == name + ": reading it took longer than 1m, so it was stopped; nothing was changed");
  CHECK(got->error().kind == director::RequestError::Kind::failed);

  clock.advance_to(clock.now() + 5s);
  REQUIRE(loop.turn(0ms));
  read_for(59s);  // its minute is its own
  CHECK(got->has_value());
}
