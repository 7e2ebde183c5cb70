// What must hold at every moment of a cluster's life.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "test/sim/cluster/world.h"
#include "vrrp/machine.h"

namespace cluster_sim {

namespace {

using namespace std::chrono_literals;

constexpr Duration way_of_packets = 10ms;  // a few of them, there and back

/// Null: it is not there.
const ipvs::DestinationStatus* find(const ipvs::ServiceStatus& service, const ipvs::DestinationKey& key) {
  const auto found = service.destinations.find(key);
  return found == service.destinations.end() ? nullptr : &found->second;
}

/// Whether a server gets new connections of a service.
bool gives(const ipvs::ServiceStatus& service, const net::Endpoint& server) {
  const auto* found = find(service, {.endpoint = server});
  return found != nullptr && found->destination.weight > 0;
}

/// Of a director whose kernel has lost ip_vs: it looks each second.
constexpr Duration time_to_miss_the_table = 1200ms;

/// Of who waits longest.
vrrp::Config slowest(const config::VirtualRouter& router) {
  return {.priority = 1, .advertisement_interval = router.advertise};
}

/// Of a node that has just become able: until it has read the table, checked its servers and listened.
Duration time_to_lead(const config::VirtualRouter& router) { return router.ready_within + 4 * router.advertise + 1s; }

}  // namespace

bool Node::is_settled(Instant now) const {
  constexpr Duration time_to_start = 5s, time_to_retry = 10s, time_to_do = 1s;
  return able() && kernel.faults.empty() && now - able_from > time_to_start && now - failed_at > time_to_retry &&
         now - told_at > time_to_do && !is_changed_by_hand(now);
}

bool Node::is_changed_by_hand(Instant now) const {
  constexpr Duration time_to_see = 30s;  // of a director that may have to start first
  return changed_by_hand && now - *changed_by_hand < time_to_see;
}

const ipvs::DestinationStatus* Node::find(const ipvs::ServiceKey& service, const net::Endpoint& server) const {
  const auto row = kernel.table.find(service);
  return row == kernel.table.end() ? nullptr : cluster_sim::find(row->second, {.endpoint = server});
}

Duration detection_time(const checkers::Spec& check) {
  return (check.thresholds.fall + 1) * (check.interval + check.timeout) + 100ms;
}

ipvs::Table expected(const Node& node, const Servers& servers) {
  ipvs::Table table;
  for (const auto& service : node.cluster.services) {
    auto& entry = table[service.key];
    entry.service = service.spec;
    for (const auto& server : service.servers) {
      const auto name = service.name + "/" + server.name;
      if (node.overrides.limited.contains(name)) continue;  // its time is over
      const bool well = servers.of(server.endpoint) == Behaviour::well;
      if (!well && service.on_failure == config::OnFailure::remove) continue;
      const auto weighed = node.overrides.weights.find(name);
      const auto weight =
          weighed == node.overrides.weights.end() ? server.weight : static_cast<std::uint32_t>(weighed->second);
      entry.destinations[{.endpoint = server.endpoint}] = {
          .forward = service.forward, .weight = well && !node.overrides.drained.contains(name) ? weight : 0};
    }
  }
  return table;
}

void World::check_now() {
  const auto& router = file_.virtual_routers.front();
  const auto config = slowest(router);
  std::vector<std::set<net::Address>> held;  // by each node, of the virtual addresses
  for (auto& node : nodes_) held.push_back(virtual_addresses_of(node));

  for (auto& node : nodes_) {
    if (!node.host.injected_errors.empty()) node.able_from = now_;  // its host does not let it lead
    if (!node.kernel.faults.empty() || node.unloaded_since) node.failed_at = now_;
  }

  // No address is held by two nodes that hear each other for longer than the lease and an interval.
  for (auto& a : nodes_) {
    for (auto& b : nodes_) {
      if (a.place >= b.place) continue;
      const Way pair{a.place, b.place};
      const auto hear = hear_each_other_since(a, b);
      const bool both = hear && std::ranges::any_of(held[a.place], [&](const net::Address& address) {
                          return held[b.place].contains(address);
                        });
      if (!both) {
        both_since_.erase(pair);
        continue;
      }
      const auto [both_so_long, begins] = both_since_.try_emplace(pair, now_);
      if (begins) ++reached_["rule: two that hear each other hold an address"];
      const auto since = std::max(both_so_long->second, *hear);
      const Duration bound = vrrp::lease(config) + router.advertise + way_of_packets;
      if (now_ - since > bound)
        violate(fmt::format("{} and {} hear each other and hold the same address for {:.3f} s", a.config.name,
                            b.config.name, seconds(now_ - since)));
    }
  }

  // While a node could serve, one does: each group's addresses.
  const bool could = std::ranges::any_of(
      nodes_, [&](const Node& node) { return node.able() && now_ - node.able_from > time_to_lead(router); });
  std::set<std::size_t> led;
  for (auto& node : nodes_) {
    for (const auto group : groups_of(node)) led.insert(group);
  }
  for (std::size_t group = 0; group < file_.groups.size(); ++group) {
    if (!could || led.contains(group)) {
      none_since_.erase(group);
      continue;
    }
    const auto [since, begins] = none_since_.try_emplace(group, now_);
    if (begins) ++reached_["rule: nobody serves and one could"];
    const auto bound = vrrp::master_down_interval(config, router.advertise) + router.advertise + way_of_packets;
    if (now_ - since->second > bound)
      violate(fmt::format("nobody leads {} for {:.3f} s, although one could", file_.groups[group].front(),
                          seconds(now_ - since->second)));
  }

  for (auto& node : nodes_) {
    check_dead_servers(node);
    check_connections(node);
    check_removed(node);
    check_idle(node);
    check_gateway(node);
    check_unloaded(node);
  }
  if (now_ < next_told_) return;
  next_told_ = now_ + 1s;
  for (const auto& node : nodes_) check_told(node);
}

/// What is not as wanted shows in what its director says of itself.
void World::check_told(const Node& node) {
  if (!node.runs()) return;
  const auto told = [&](bool shows, const std::string& what) {
    reach("rule: it must be told that " + what);
    if (!shows) violate(fmt::format("{} does not tell that {}", node.config.name, what));
  };
  const auto has_problem = [&, problems = node.director->problems()](director::EventKind kind) {
    return std::ranges::find(problems, kind, &director::Problem::kind) != problems.end();
  };
  if (node.refused_file) told(has_problem(director::EventKind::reload_refused), "a file was refused");
  if (node.unloaded_since && now_ - std::max(*node.unloaded_since, node.able_from) > time_to_miss_the_table)
    told(has_problem(director::EventKind::table_lost), "the kernel has no ip_vs");
  const auto since_able = now_ - node.able_from;  // no link has gone or come since
  if (!node.connected() && since_able > 100ms) {
    const auto routers = node.director->routers().status();
    told(std::ranges::none_of(routers, [](const vrrp::Status& router) { return router.fault.empty(); }),
         "a link is down");
  }
  const auto stranger_heard = 2 * file_.virtual_routers.front().advertise + way_of_packets;
  if (stranger_since_ && node.connected() && std::min(since_able, now_ - *stranger_since_) > stranger_heard)
    told(has_problem(director::EventKind::router_advert), "a stranger has its router_id");
  if (!node.able() || since_able < 5s) return;
  for (const auto& service : node.cluster.services) {
    for (const auto& server : service.servers) {
      const auto& known = node.director->health().of(service.key);
      const auto health = known.find(server.endpoint);  // one that reads old files may not have it
      const bool is_down = health != known.end() && health->second.state == checkers::HealthState::down;
      const auto since = now_ - servers_.since(server.endpoint);
      if (servers_.of(server.endpoint) != Behaviour::well && since > detection_time(service.checks.front()))
        told(is_down, "a server is down");
    }
  }
}

/// A node whose file has it give up for a service that is below its quorum does not say that it would rather lead.
void World::check_advert(const Node& node, std::span<const std::byte> advert) {
  const bool is_advert = std::to_integer<unsigned>(advert[0]) == 0x31;  // version 3, type 1; else it is a hello
  if (!is_advert || !node.director) return;
  const auto priority = std::to_integer<unsigned>(advert[2]);
  const auto& router = node.cluster.virtual_routers.front();  // both give up for the same services
  const auto may_be_up = [&](const config::Service& service, const config::Server& server) {
    return servers_.of(server.endpoint) == Behaviour::well ||
           now_ - std::max(servers_.since(server.endpoint), node.able_from) < detection_time(service.checks.front());
  };
  for (const auto& service : node.cluster.services) {
    if (std::ranges::find(router.give_up_when, service.name) == router.give_up_when.end()) continue;
    const auto up = std::ranges::count_if(service.servers, std::bind_front(may_be_up, std::cref(service)));
    if (std::cmp_greater_equal(up, service.quorum.below) || !node.director->health().all_known(service.key)) continue;
    reach("rule: a node whose service is below its quorum advertises");
    if (priority > 1)
      violate(fmt::format("{} advertises priority {} although {} is below its quorum", node.config.name, priority,
                          service.name));
  }
}

/// Who does not reach what it must is not the master.
void World::check_gateway(Node& node) {
  if (!node.no_gateway_since || !node.needs_gateway() || !node.connected()) return;
  const auto since = std::max(*node.no_gateway_since, node.able_from);
  const auto bound = detection_time(*file_.virtual_routers.front().trackers.front().check);
  if (now_ - since < bound) return;
  ++reached_["rule: a node must not lead without its gateway"];
  for (const auto& address : virtual_addresses()) {
    if (holds(node, address))
      violate(fmt::format("{} holds {}, {:.3f} s after it lost its gateway", node.config.name, net::to_string(address),
                          seconds(now_ - since)));
  }
}

/// Who has no table does not lead where another could, and may take the role.
void World::check_unloaded(Node& node) {
  if (!node.unloaded_since || !node.runs()) return;
  const auto& router = node.cluster.virtual_routers.front();
  if (!router.preempt.allowed) return;
  const auto config = slowest(router);
  const auto bound = time_to_miss_the_table + vrrp::master_down_interval(config, router.advertise) +
                     vrrp::lease(config) + way_of_packets;
  const auto could = [&](const Node& other) {
    const auto hear = hear_each_other_since(node, other);
    return &other != &node && other.able() && hear && now_ - std::max(*hear, *node.unloaded_since) > bound &&
           now_ - node.able_from > bound && now_ - other.able_from > bound + time_to_lead(router) &&
           router.give_up_when.empty();
  };
  if (std::ranges::none_of(nodes_, could)) return;
  reach("rule: a node without ip_vs must not lead");
  if (std::ranges::any_of(virtual_addresses(), [&](const auto& address) { return holds(node, address); }))
    violate(node.config.name + " leads, although its kernel has no ip_vs");
}

/// What a dead director held is gone soon after its successor is there: nothing else would take it away.
void World::check_idle(Node& node) {
  if (node.director && !node.stalled) {
    node.idle_since.reset();
    return;
  }
  if (!node.idle_since && serves(node)) ++reached_["rule: a director that serves dies or stands still"];
  if (!node.idle_since) node.idle_since = now_;
  if (now_ - *node.idle_since < vrrp::lease(slowest(file_.virtual_routers.front())) + way_of_packets) return;
  for (const auto& address : virtual_addresses()) {
    if (holds(node, address))
      violate(fmt::format("{} still holds {} after {:.3f} s without a director", node.config.name,
                          net::to_string(address), seconds(now_ - *node.idle_since)));
  }
}

/// No connection is cut of a server in the file, but by the service's own word for those that fail.
void World::check_connections(Node& node) {
  for (const auto& service : node.cluster.services) {
    auto& known = node.connections[service.key];  // one that left the file is another one when it returns
    std::map<ipvs::DestinationKey, std::uint32_t> now;
    const auto row = node.kernel.table.find(service.key);
    for (const auto& server : service.servers) {
      const ipvs::DestinationKey key{.endpoint = server.endpoint};
      const auto* there = row == node.kernel.table.end() ? nullptr : find(row->second, key);
      if (there != nullptr && there->active > 0) now[key] = there->active;
      const auto before = known.find(key);
      if (before == known.end()) continue;
      const auto name = service.name + "/" + server.name;
      const auto end = node.ends.find(name);
      const bool over = end != node.ends.end() && now_ >= end->second;
      if (there != nullptr && there->destination.weight == 0)
        ++reached_["rule: a server without new connections has open ones"];
      if (there != nullptr) continue;
      if (over) ++reached_["rule: a drain ends with connections open"];
      if (service.on_failure != config::OnFailure::remove && !over)
        violate(fmt::format("{} cuts {} connections of {}", node.config.name, before->second, name));
    }
    known = std::move(now);
  }
}

/// A server that left the file is not kept for longer than its drain time, however often its director is started.
void World::check_removed(const Node& node) {
  constexpr Duration time_to_see = 2500ms;  // its connections are counted every second
  for (const auto& [server, at] : node.removed) {
    for (const auto& service : node.cluster.services) {
      if (node.find(service.key, server) == nullptr) continue;
      reach("rule: a server that left the file is in the table");
      if (now_ - at > service.drain_time + time_to_see && node.is_settled(now_))
        violate(fmt::format("{} still has {} in its table, {:.3f} s after it left the file", node.config.name,
                            net::to_string(server), seconds(now_ - at)));
    }
  }
}

/// A server that is known to be dead gets no new connection.
void World::check_dead_servers(Node& node) {
  for (const auto& service : node.cluster.services) {
    const auto row = node.kernel.table.find(service.key);
    for (const auto& server : service.servers) {
      if (wrong_since_.empty() && servers_.of(server.endpoint) == Behaviour::well) continue;
      const auto key = std::pair(node.place, service.name + "/" + server.name);
      const bool gets = row != node.kernel.table.end() && gives(row->second, server.endpoint);
      const bool fails = !node.kernel.faults.empty();  // what it sends may not be done yet
      if (!gets || fails || !node.runs() || servers_.of(server.endpoint) == Behaviour::well || service.checks.empty()) {
        wrong_since_.erase(key);
        continue;
      }
      const auto [wrong_so_long, begins] = wrong_since_.try_emplace(key, now_);
      if (begins) ++reached_["rule: a server that does not answer has weight"];
      const auto since = std::max({wrong_so_long->second, node.able_from});
      if (now_ - since > detection_time(service.checks.front()))
        violate(fmt::format("{} leads clients to {}, which {} for {:.3f} s", node.config.name, key.second,
                            to_string(servers_.of(server.endpoint)), seconds(now_ - since)));
    }
  }
}

}  // namespace cluster_sim
