#include "test/sim/cluster/life.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "director/control/status.h"
#include "ipvs/diff.h"
#include "test/sim/cluster/life_of_seed.h"

namespace cluster_sim {

namespace {

using namespace std::chrono_literals;

constexpr Duration peace = 20s;  ///< after the last fault, until all must be as it should

using Daemons = std::set<std::tuple<ipvs::Daemon::State, std::string, std::uint32_t>>;

Daemons daemons_of(Node& node) {
  Daemons found;
  const auto running = node.kernel.daemons().value_or(std::vector<ipvs::Daemon>());
  for (const auto& daemon : running) found.emplace(daemon.state, daemon.interface, daemon.sync_id);
  return found;
}

Daemons wanted_daemons(const config::Cluster& cluster) {
  if (!cluster.connection_sync) return {};
  const auto id = cluster.connection_sync->id;
  return {{ipvs::Daemon::State::master, back, id}, {ipvs::Daemon::State::backup, back, id}};
}

}  // namespace

void Life::go_on(Duration duration) {
  const auto end = world_.now() + duration;
  while (world_.now() < end) {
    const auto until = undo_.empty() ? end : std::min(end, undo_.begin()->first);
    if (until > world_.now()) world_.run(until - world_.now());
    while (!undo_.empty() && undo_.begin()->first <= world_.now()) {
      const auto undo = std::move(undo_.begin()->second);
      undo_.erase(undo_.begin());
      undo();
    }
  }
}

/// Everything is mended, and all had time.
void Life::check_peace() {
  std::map<std::size_t, int> leaders;  // by group
  std::size_t leading = 0;
  const auto& groups = world_.file().groups;
  for (auto& node : world_.nodes()) {
    const auto& name = node.config.name;
    const auto led = world_.groups_of(node);
    for (const auto group : led) ++leaders[group];
    leading += led.empty() ? 0U : 1U;
    if (!node.kernel.table.contains(strangers_service)) world_.violate(name + " has removed a service of others");
    if (overrides_in(node.disk.durable) != node.overrides)
      world_.violate(name + "'s disk does not have the operator's words");
    if (to_json(node.director->store().state()) != node.disk.durable)
      world_.violate(name + "'s disk does not hold what its memory does");
    auto table = ipvs::table_of(node.kernel.table);
    table.erase(strangers_service);
    std::string differences;
    for (const auto& op : ipvs::diff(expected(node, world_.servers()), table)) differences += "\n  " + to_string(op);
    if (!differences.empty()) world_.violate(name + "'s table is not as it should be; it would take" + differences);
    if (daemons_of(node) != wanted_daemons(world_.file()))
      world_.violate(name + "'s kernel does not sync connections as the file says");
    const auto status = director::status(*node.director);
    // One whose addresses were refused says so until it leads again.
    const bool refused = led.size() < groups.size() && befell_.contains("address refused");
    for (const auto& problem : status["problems"]) {
      if (refused && problem.get<std::string>().contains("Operation not permitted")) continue;
      world_.violate(name + " still has a problem: " + problem.get<std::string>());
    }
  }
  check_orders_agree();
  check_reports_have_come();
  for (std::size_t group = 0; group < groups.size(); ++group) {
    if (leaders[group] != 1)
      world_.violate(fmt::format("{} nodes lead {}, not one", leaders[group], groups[group].front()));
  }
  if (leading > 1) world_.reach("rule: each of two nodes leads a group");
}

/// Where the directors share them.
void Life::check_orders_agree() {
  auto& nodes = world_.nodes();
  if (!nodes.front().director->sharing().is_on() || nodes.size() < 2) return;
  const auto versions_of = [](const Node& node) {
    std::map<director::OrderSubject, director::OrderVersion> versions;
    director::for_each_order(node.director->overrides().orders(), [&](const director::Order& order) {
      if (!std::holds_alternative<director::EndedOrder>(order.value))
        versions.emplace(order.subject, order.origin().version);
    });
    return versions;
  };
  for (const auto& node : nodes) {
    if (versions_of(node) != versions_of(nodes.front()))
      world_.violate(fmt::format("{} and {} do not agree on orders", nodes.front().config.name, node.config.name));
  }
  world_.reach("rule: all directors hold the same orders");
}

/// What each tells of itself, all others know.
void Life::check_reports_have_come() {
  const auto& nodes = world_.nodes();
  if (!nodes.front().director->sharing().is_on() || nodes.size() < 2) return;
  for (const auto& node : nodes) {
    const auto& own = node.director->reports().exchange().own_services();
    for (const auto& other : nodes) {
      if (&other == &node) continue;
      const auto& peers = other.director->reports().exchange().peers();
      const auto heard = peers.find(node.config.name);
      const bool is_same =
          heard != peers.end() && std::ranges::equal(heard->second.services, own, [](auto& a, auto& b) {
            return a.first == b.first && a.second.table == b.second.table && a.second.in_service == b.second.in_service;
          });
      if (!is_same) world_.violate(fmt::format("{} does not know how {} is", other.config.name, node.config.name));
      if (heard->second.node.routers.size() != world_.file().virtual_routers.size())
        world_.violate(fmt::format("{} does not know the roles of {}", other.config.name, node.config.name));
    }
  }
  world_.reach("rule: each director knows how the others are");
}

Outcome Life::run() {
  static constexpr std::array deeds = {
      Deed{"crash", &Life::crash},
      Deed{"power loss", &Life::power_loss},
      Deed{"disk full", &Life::disk_fills},
      Deed{"disk hangs", &Life::disk_hangs},
      Deed{"no threads", &Life::threads_fail},
      Deed{"clock step", &Life::clock_step},
      Deed{"stop", &Life::stop},
      Deed{"stall", &Life::stall},
      Deed{"replace", &Life::replace},
      Deed{"gateway lost", &Life::lose_gateway},
      Deed{"partition", &Life::partition},
      Deed{"one-way loss", &Life::one_way_loss},
      Deed{"link down", &Life::link_down},
      Deed{"server dies", &Life::server_dies},
      Deed{"server hangs", &Life::server_hangs},
      Deed{"drain", &Life::drain},
      Deed{"weight", &Life::weigh},
      Deed{"failover", &Life::fail_over},
      Deed{"reload", &Life::reload},
      Deed{"bad file", &Life::bad_file},
      Deed{"kernel error", &Life::kernel_error},
      Deed{"change by hand", &Life::change_by_hand},
      Deed{"address taken", &Life::take_address},
      Deed{"clients connect", &Life::clients_connect},
      Deed{"clients leave", &Life::clients_leave},
      Deed{"address refused", &Life::refuse_addresses},
      Deed{"stranger speaks", &Life::stranger_speaks},
      Deed{"ip_vs lost", &Life::lose_ip_vs},
  };
  Outcome outcome;
  try {
    for (auto& node : world_.nodes()) {
      node.kernel.table[strangers_service];
      world_.start(node);
      go_on(between(0ms, 1000ms));
    }
    go_on(12s);
    const auto end = world_.now() + 60s;
    while (world_.now() < end) {
      const auto& deed = deeds[below(deeds.size())];
      if ((this->*deed.done)()) ++befell_[deed.name];
      go_on(between(0ms, 6000ms));
    }
    world_.say("peace");
    for (const auto& [at, undo] : std::exchange(undo_, {})) undo();
    world_.clients().leave_all();
    for (auto& node : world_.nodes()) {
      node.kernel.faults.clear();
      node.host.injected_errors.clear();
      if (node.stopping) world_.run(5s);
      if (!node.director) world_.start(node);
      if (node.cluster != world_.file() || node.refused_file) world_.reload(node);
    }
    world_.run(peace);
    check_peace();
  } catch (const Violation& violation) {
    outcome.broken = violation.what;
  }
  outcome.story = world_.story();
  outcome.befell = befell_;
  for (const auto& [rule, times] : world_.reached()) outcome.befell[rule] += times;
  return outcome;
}

Outcome live(std::uint64_t seed, bool trace, Mutation mutation) { return Life(seed, trace, mutation).run(); }

}  // namespace cluster_sim
