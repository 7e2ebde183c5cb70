#pragma once

#include <filesystem>
#include <memory>

#include "config/cluster.h"
#include "director/engine/engine.h"
#include "durability.h"
#include "ipvs/diff.h"
#include "net/kernel_host.h"
#include "test/catch.h"
#include "test/seeded.h"
#include "test/unit/ipvs/forwarding_kernel.h"

/// Random clusters that come, change and crash, over any kernel: what the kernel holds in the end is what the last file
/// says, whatever happened on the way.
namespace director_test {

/// A kernel on which the director crashes in the middle of its messages: the first `left` of the ops are done, the rest
/// never arrive, and nobody hears of anything any more.
class CrashingKernel final : public ForwardingKernel {
 public:
  using ForwardingKernel::ForwardingKernel;

  std::optional<std::size_t> left;  ///< ops until the crash; none: it runs

  net::Result<std::vector<ipvs::RefusedOp>> apply(std::span<const ipvs::Op> ops) override {
    if (!left) return ForwardingKernel::apply(ops);
    const auto done = std::min(*left, ops.size());
    *left -= done;
    auto answer = done == 0 ? net::Result<std::vector<ipvs::RefusedOp>>() : ForwardingKernel::apply(ops.first(done));
    if (done == ops.size()) return answer;
    return net::failure("dead");
  }
};

/// A random cluster file, and random changes to it. Without checks: every server is up.
class RandomCluster : public Seeded {
 public:
  using Seeded::Seeded;

  config::Cluster change(config::Cluster cluster) {
    for (std::uint32_t changes = 1 + below(4); changes > 0; --changes) {
      const auto which = below(6);
      if (which == 0 || cluster.services.empty()) {
        add_service(cluster);
      } else if (which == 1) {
        cluster.services.erase(cluster.services.begin() + below(static_cast<std::uint32_t>(cluster.services.size())));
      } else {
        change(cluster.services[below(static_cast<std::uint32_t>(cluster.services.size()))], which);
      }
    }
    return cluster;
  }

 private:
  void add_service(config::Cluster& cluster) {
    config::Service service;
    service.key.endpoint = {.address = *net::Address::parse("192.0.2.10"),
                            .port = static_cast<std::uint16_t>(80 + below(12))};
    if (below(4) == 0) service.key = {.protocol = ipvs::Protocol::none, .endpoint = {}, .fwmark = 1 + below(3)};
    if (std::ranges::find(cluster.services, service.key, &config::Service::key) != cluster.services.end()) return;
    service.name = "s" + std::to_string(++named_);
    service.quorum.regain = service.quorum.below;
    for (std::uint32_t servers = 1 + below(4); servers > 0; --servers) add_server(service);
    cluster.services.push_back(std::move(service));
  }

  void add_server(config::Service& service) {
    const net::Endpoint endpoint{.address = *net::Address::parse("10.0.0." + std::to_string(1 + below(8))),
                                 .port = service.key.endpoint.port};
    if (std::ranges::find(service.servers, endpoint, &config::Server::endpoint) != service.servers.end()) return;
    service.servers.push_back({.name = "w" + std::to_string(++named_), .endpoint = endpoint, .weight = below(5)});
  }

  void change(config::Service& service, std::uint32_t which) {
    auto& servers = service.servers;
    const auto some = servers.empty() ? 0 : below(static_cast<std::uint32_t>(servers.size()));
    static constexpr const char* schedulers[] = {"rr", "wrr", "lc", "wlc", "sh"};
    switch (which) {
      case 2:
        return add_server(service);
      case 3:
        if (servers.size() > 1) servers.erase(servers.begin() + some);
        return;
      case 4:
        service.spec.scheduler = schedulers[below(5)];
        service.spec.persistence = std::chrono::seconds(below(2) * 300);
        return;
      default:
        if (!servers.empty()) servers[some].weight = below(9);
    }
  }

  int named_ = 0;
};

/// What the kernel should hold in the end, told without the plan.
inline ipvs::Table expected_table(const config::Cluster& cluster) {
  ipvs::Table table;
  for (const auto& service : cluster.services) {
    auto& entry = table[service.key];
    entry.service = service.spec;
    for (const auto& server : service.servers) {
      entry.destinations[{.endpoint = server.endpoint}].weight = server.weight;
    }
  }
  return table;
}

/// Turns the loop until nothing is missing, for a tenth of a second at most: what is idle goes at once.
inline void await_expected_table(net::Loop& loop, ipvs::Kernel& kernel, const config::Cluster& cluster) {
  const auto missing = [&] {
    const auto snapshot = kernel.list();
    REQUIRE(snapshot);
    return ipvs::diff(expected_table(cluster), ipvs::table_of(*snapshot));
  };
  const auto deadline = net::monotonic_now() + std::chrono::milliseconds(100);
  while (!missing().empty() && net::monotonic_now() < deadline) REQUIRE(loop.turn(std::chrono::milliseconds(1)));
  for (const auto& op : missing()) FAIL_CHECK("missing: " + to_string(op));
}

/// Files that follow each other by reloads, restarts and crashes between any two messages. Counts the crashes
/// that came in the middle.
inline int run_random_reloads(ipvs::Kernel& kernel, const std::filesystem::path& folder, std::uint32_t seed,
                              int changes) {
  INFO("seed " << seed);
  auto loop = net::Loop::create().value();
  RandomCluster random(seed);
  CrashingKernel crashing(kernel);
  net::KernelHost host;
  config::Cluster cluster;
  cluster.name = "random";
  const director::Options options{
      .node = {.name = "lb1", .address = {}}, .state_file = folder / "state.json", .dry_run = true};
  auto director = std::make_unique<director::Engine>(loop, crashing, host, cluster, options);
  REQUIRE(director->start());
  int crashes = 0;
  for (int i = 0; i < changes; ++i) {
    INFO("change " << i);
    cluster = random.change(std::move(cluster));
    const bool crash = random.below(2) == 0;
    if (crash) crashing.left = random.below(6);
    const bool restart = random.below(3) == 0;
    if (restart) {
      director.reset();
      director = std::make_unique<director::Engine>(loop, crashing, host, cluster, options);
      REQUIRE(director->start());
    } else {
      REQUIRE(director->reload({.cluster = cluster, .node = options.node}, "a test"));
    }
    REQUIRE(loop.turn(std::chrono::milliseconds(1)));
    if (crash) {
      crashes += *crashing.left == 0 ? 1 : 0;
      director.reset();
      crashing.left.reset();
      director = std::make_unique<director::Engine>(loop, crashing, host, cluster, options);
      REQUIRE(director->start());
    }
    await_expected_table(loop, kernel, cluster);
    std::ignore = told_durable(loop, director->store());
  }
  return crashes;
}

}  // namespace director_test
