#include <malloc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <vector>

#include "checkers/checkers.h"
#include "test/bench/checkers/measures.h"
#include "test/bench/checkers/world.h"

namespace bench {
namespace {

std::vector<checkers::Key> keys_of(const Run& run) {
  checkers::Spec spec{.interval = std::chrono::milliseconds(static_cast<int>(run.interval * 1000)),
                      .timeout = std::chrono::milliseconds(900),
                      .thresholds = {.rise = 2, .fall = fall}};
  if (run.kind == Kind::http) spec.kind = checkers::Http{.path = "/health"};
  std::vector<checkers::Key> keys;
  for (std::uint32_t n = 0; n < run.targets; ++n) keys.push_back({.target = target(n), .spec = spec});
  return keys;
}

double seconds(net::Duration duration) { return std::chrono::duration<double>(duration).count(); }

Measures measure(const Run& run) {
  Servers servers;
  auto loop = net::Loop::create().value();
  std::uint64_t checks = 0;
  std::size_t up = 0;
  std::vector<float> late;
  bool measuring = false;
  checkers::Checkers checkers(loop, [&](const checkers::Report& report) {
    ++checks;
    if (measuring) late.push_back(static_cast<float>(seconds(report.result.late)));
    if (report.change == checkers::HealthChange::changed)
      up += report.after.state == checkers::HealthState::up ? 1 : std::size_t(-1);
  });
  const auto turn_for = [&](double length) {
    const auto end =
        net::monotonic_now() + std::chrono::duration_cast<net::Duration>(std::chrono::duration<double>(length));
    while (net::monotonic_now() < end) (void)loop.turn(std::chrono::milliseconds(10));
  };
  turn_for(0.01);

  Measures measures;
  malloc_trim(0);
  const auto memory_before = memory_of(getpid());
  {
    const auto keys = keys_of(run);
    checkers.set(keys);
  }
  malloc_trim(0);
  turn_for(1.5 + 2 * run.interval);
  measures.memory_per_target = (memory_of(getpid()) - memory_before) / run.targets;
  if (up != run.targets) std::fprintf(stderr, "checkers_bench: only %zu of %u targets are up\n", up, run.targets);

  late.reserve(static_cast<std::size_t>(run.targets / run.interval * run.seconds * 1.2));
  measuring = true;
  const auto checks_before = checks;
  const auto cpu_before = own_cpu();
  turn_for(run.seconds);
  measures.cpu_per_check = (own_cpu() - cpu_before) / static_cast<double>(checks - checks_before);
  measuring = false;
  if (!late.empty()) {
    const auto p99 = late.begin() + static_cast<std::ptrdiff_t>(late.size() * 99 / 100);
    std::ranges::nth_element(late, p99);
    measures.start_late_p99 = *p99;
  }

  servers.kill();
  const auto died = net::monotonic_now();
  const auto limit =
      died + std::chrono::duration_cast<net::Duration>(std::chrono::duration<double>(fall * run.interval + 10));
  while (up > 0 && net::monotonic_now() < limit) (void)loop.turn(std::chrono::milliseconds(10));
  if (up == 0) measures.all_out = seconds(net::monotonic_now() - died);
  return measures;
}

}  // namespace

// In a process of its own, so that each run's memory begins from nothing.
Measures measure_ours(const Run& run) {
  auto* shared = static_cast<Measures*>(
      mmap(nullptr, sizeof(Measures), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  const auto pid = fork();
  if (pid == 0) {
    *shared = measure(run);
    std::exit(0);
  }
  waitpid(pid, nullptr, 0);
  const auto measures = *shared;
  munmap(shared, sizeof(Measures));
  return measures;
}

}  // namespace bench
