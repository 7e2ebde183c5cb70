#include "test/sim/cluster/clients.h"

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/cluster/world.h"

namespace cluster_sim {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t clients = 10;
constexpr std::size_t enough = 40;  ///< connections at once
constexpr auto time_to_settle = 5s;
constexpr auto between_syncs = 1s;

/// Null: the file that the node has in force does not have it.
const config::Service* find_service(const Node& node, const ipvs::ServiceKey& key) {
  const auto found = std::ranges::find(node.cluster.services, key, &config::Service::key);
  return found == node.cluster.services.end() ? nullptr : &*found;
}

const config::Server* find_server(const config::Service& service, const net::Endpoint& endpoint) {
  const auto found = std::ranges::find(service.servers, endpoint, &config::Server::endpoint);
  return found == service.servers.end() ? nullptr : &*found;
}

std::optional<ipvs::Daemon> daemon_of(Node& node, ipvs::Daemon::State state) {
  const auto running = node.kernel.daemons().value_or(std::vector<ipvs::Daemon>());
  const auto found = std::ranges::find(running, state, &ipvs::Daemon::state);
  return found == running.end() ? std::nullopt : std::optional(*found);
}

/// Whether what one kernel tells another of its connections arrives.
bool kernel_tells(Node& from, Node& to) {
  const auto master = daemon_of(from, ipvs::Daemon::State::master), backup = daemon_of(to, ipvs::Daemon::State::backup);
  return master && backup && master->interface == backup->interface && master->sync_id == backup->sync_id;
}

/// As the kernel counts them: in the table, or among those that have left it and may come back.
ipvs::DestinationStatus* status_of(Node& node, const ipvs::ServiceKey& service, const net::Endpoint& server) {
  const ipvs::DestinationKey key{.endpoint = server};
  if (const auto row = node.kernel.table.find(service); row != node.kernel.table.end()) {
    if (const auto found = row->second.destinations.find(key); found != row->second.destinations.end())
      return &found->second;
  }
  const auto left = node.kernel.trash.find({service, key});
  return left == node.kernel.trash.end() ? nullptr : &left->second;
}

}  // namespace

void Clients::act() {
  next_ = world_.now() + 50ms + std::chrono::milliseconds(world_.below(150));
  if (world_.now() >= next_sync_) {
    next_sync_ = world_.now() + between_syncs;
    sync();
  }
  if (connections_.size() < enough && world_.below(3) == 0) open();
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    const bool is_over = world_.below(8) == 0 && (world_.below(40) == 0 || !send(*connection));
    connection = is_over ? connections_.erase(connection) : std::next(connection);
  }
  count();
}

void Clients::connect(std::size_t number) {
  for (std::size_t i = 0; i < number; ++i) open();
  count();
}

void Clients::leave() {
  std::erase_if(connections_, [&](const Connection&) { return world_.below(2) == 0; });
  count();
}

void Clients::leave_all() {
  connections_.clear();
  count();
}

void Clients::forget(const Node& node) {
  for (auto& connection : connections_) {
    connection.known.erase(node.place);
    connection.unbound.erase(node.place);
    connection.told.erase(node.place);
    connection.tellable.erase(node.place);
  }
  std::erase_if(templates_, [&](const auto& each) { return std::get<0>(each.first) == node.place; });
}

/// The one node that has the address; null where none has it, or two do.
Node* Clients::director_of(const ipvs::ServiceKey& service) {
  Node* found = nullptr;
  for (auto& node : world_.nodes()) {
    if (!node.carrier.at(front) || !world_.holds(node, service.endpoint.address)) continue;
    if (found != nullptr) return nullptr;
    found = &node;
  }
  return found;
}

Clients::Weights Clients::weights_of(const Node& node, const ipvs::ServiceKey& service) {
  Weights weights;
  const auto row = node.kernel.table.find(service);
  if (row == node.kernel.table.end()) return weights;
  for (const auto& [key, status] : row->second.destinations) {
    if (status.destination.weight > 0) weights[key.endpoint] = status.destination.weight;
  }
  return weights;
}

/// By the weights: at random, or with a scheduler that hashes always the same.
std::optional<net::Endpoint> Clients::choose(const Node& node, const ipvs::ServiceKey& service, const Weights& weights,
                                             std::size_t hash) {
  std::size_t total = 0;
  for (const auto& [server, weight] : weights) total += weight;
  if (total == 0) return std::nullopt;
  const auto row = node.kernel.table.find(service);
  auto left = row->second.service.scheduler == "mh" ? hash % total : world_.below(total);
  for (const auto& [server, weight] : weights) {
    if (left < weight) return server;
    left -= weight;
  }
  return std::nullopt;
}

/// Where the service is persistent, the client's last server, while that is in the table; without weight only as long
/// as the kernel is not told otherwise.
std::optional<net::Endpoint> Clients::led_to(Node& node, const ipvs::ServiceKey& service, std::size_t client,
                                             const Weights& weights, std::size_t hash) {
  const auto row = node.kernel.table.find(service);
  if (row == node.kernel.table.end() || row->second.service.persistence.count() == 0)
    return choose(node, service, weights, hash);
  const Templates::key_type key{node.place, service, client};
  const auto last = templates_.find(key);
  const bool stays_drained = node.host.settings.at("net/ipv4/vs/expire_quiescent_template") == "0";
  if (last != templates_.end() && row->second.destinations.contains({.endpoint = last->second}) &&
      (weights.contains(last->second) || stays_drained))
    return last->second;
  const auto chosen = choose(node, service, weights, hash);
  if (chosen) templates_[key] = *chosen;
  return chosen;
}

void Clients::open() {
  const auto& services = world_.file().services;
  const auto& service = services[world_.below(services.size())];
  const auto client = world_.below(clients);
  const auto hash = client + clients * world_.below(100'000);
  Node* node = director_of(service.key);
  if (node == nullptr) return;
  const auto weights = weights_of(*node, service.key);
  const auto server = led_to(*node, service.key, client, weights, hash);
  const auto* known = find_service(*node, service.key);
  if (known != nullptr && node->is_settled(world_.now())) {
    if (server) {
      check_choice(*node, *known, *server);
    } else {
      check_refusal(*node, *known);
    }
  }
  if (!server || world_.servers().of(*server) != Behaviour::well) return;
  connections_.push_back({.service = service.key,
                          .server = *server,
                          .hash = hash,
                          .opened = world_.now(),
                          .director = node->place,
                          .known = {node->place},
                          .weights = weights});
}

/// Who is drained, or dead, or has left the file, gets nobody new.
void Clients::check_choice(const Node& node, const config::Service& service, const net::Endpoint& endpoint) {
  world_.reach("rule: a client is led to a server");
  const auto* server = find_server(service, endpoint);
  if (server == nullptr)
    world_.violate(fmt::format("{} leads a client to {}, which its file does not have", node.config.name,
                               net::to_string(endpoint)));
  const auto drained = [&](const config::Server& each) {
    return node.overrides.drained.contains(service.name + "/" + each.name);
  };
  if (std::ranges::any_of(service.servers, drained)) world_.reach("rule: a client comes and a server is drained");
  const auto& check = service.checks.front();
  const bool known_dead = world_.servers().of(endpoint) != Behaviour::well &&
                          world_.now() - world_.servers().since(endpoint) > detection_time(check);
  if (known_dead)
    world_.violate(fmt::format("{} leads a client to {}/{}, which {}", node.config.name, service.name, server->name,
                               to_string(world_.servers().of(endpoint))));
  if (drained(*server))
    world_.violate(
        fmt::format("{} leads a client to {}/{}, which is drained", node.config.name, service.name, server->name));
}

/// Nobody is turned away while a server is well that takes new connections.
void Clients::check_refusal(const Node& node, const config::Service& service) {
  world_.reach("rule: a client is turned away");
  const auto& check = service.checks.front();
  const Duration time_to_rise = (check.thresholds.rise + 1) * (check.interval + check.timeout) + 1s;
  for (const auto& server : service.servers) {
    const bool takes = !node.overrides.drained.contains(service.name + "/" + server.name) &&
                       world_.servers().of(server.endpoint) == Behaviour::well &&
                       world_.now() - world_.servers().since(server.endpoint) > time_to_rise;
    if (takes && world_.now() - node.told_at > time_to_rise)
      world_.violate(fmt::format("{} turns a client of {} away, although {} is well", node.config.name, service.name,
                                 server.name));
  }
}

bool Clients::send(Connection& connection) {
  Node* node = director_of(connection.service);
  if (node == nullptr || !node->carrier.at(back)) return true;  // sent again later
  const auto& servers = world_.servers();
  if (servers.died_since(connection.server, connection.opened)) return false;
  if (!connection.known.contains(node->place) && !meet_unknown(connection, *node)) return false;
  if (connection.director != node->place) world_.reach("rule: a connection goes on through another director");
  connection.director = node->place;
  if (node->find(connection.service, connection.server) == nullptr) {
    // The kernel leads it by what it was told of it.
    return connection.unbound.contains(node->place) || goes_on_without_server(connection, *node);
  }
  connection.unbound.erase(node->place);
  connection.stuck.reset();
  return true;
}

/// A packet of it reaches a node whose kernel does not know it.
bool Clients::meet_unknown(Connection& connection, Node& node) {
  if (connection.service.protocol == ipvs::Protocol::udp) return false;  // the next packet is another one's first
  world_.reach("rule: a connection meets a director that does not know it");
  if (connection.told.contains(node.place))
    world_.violate(fmt::format("a connection is cut, of which {} should have told {}",
                               world_.nodes()[connection.director].config.name, node.config.name));
  if (!node.cluster.stateless_takeover) return false;
  const bool settled = node.is_settled(world_.now());
  if (node.host.settings.at("net/ipv4/vs/sloppy_tcp") != "1") {
    if (settled) world_.violate(node.config.name + " takes no connections over that it does not know");
    return false;
  }
  const auto weights = weights_of(node, connection.service);
  const auto server = choose(node, connection.service, weights, connection.hash);
  if (weights == connection.weights) world_.reach("rule: a connection goes on by its hash");
  if (server != connection.server && weights == connection.weights)
    world_.violate(node.config.name + " leads a connection to another server than before");
  if (server != connection.server) return false;
  connection.known.insert(node.place);
  return true;
}

/// Its server is not in the node's table: that needs a reason.
bool Clients::goes_on_without_server(Connection& connection, const Node& node) {
  const auto* service = find_service(node, connection.service);
  if (service == nullptr) return false;
  const auto* server = find_server(*service, connection.server);
  const bool ails = world_.servers().of(connection.server) != Behaviour::well ||
                    world_.now() - world_.servers().since(connection.server) < time_to_settle;
  const bool fails = service->on_failure == config::OnFailure::remove && ails;
  if (server == nullptr) {
    const auto removed = node.removed.find(connection.server);
    if (removed == node.removed.end() || fails || node.is_changed_by_hand(world_.now())) return false;
    world_.reach("rule: a connection outlives its server's place in the file");
    if (node.runs() && world_.now() - removed->second < service->drain_time - 100ms)
      world_.violate(fmt::format("{} cuts a connection of a server that left the file {:.3f} s ago", node.config.name,
                                 seconds(world_.now() - removed->second)));
    return false;
  }
  const auto end = node.ends.find(service->name + "/" + server->name);
  if (end != node.ends.end() && world_.now() >= end->second) return false;
  if (fails || !node.is_settled(world_.now())) {
    connection.stuck.reset();
    return true;
  }
  if (!connection.stuck) connection.stuck = world_.now();
  if (world_.now() - *connection.stuck > time_to_settle)
    world_.violate(fmt::format("{} has not had {} in its table for {:.3f} s, which has connections", node.config.name,
                               server->name, seconds(world_.now() - *connection.stuck)));
  return true;
}

/// What the kernels tell each other, and what they would if their directors did as the file says.
void Clients::sync() {
  for (auto& from : world_.nodes()) {
    for (auto& to : world_.nodes()) {
      if (&from == &to) continue;
      const bool passes = from.carrier.at(back) && to.carrier.at(back) && world_.passes(from, to, back);
      const bool tells = passes && kernel_tells(from, to);
      const bool should = passes && from.cluster.connection_sync && to.cluster.connection_sync &&
                          from.is_settled(world_.now()) && to.is_settled(world_.now());
      for (auto& connection : connections_) {
        if (connection.director != from.place || !connection.known.contains(from.place)) continue;
        if (tells && connection.known.insert(to.place).second &&
            to.find(connection.service, connection.server) == nullptr)
          connection.unbound.insert(to.place);
        if (!should) {
          connection.tellable.erase(to.place);
        } else if (const auto [since, first] = connection.tellable.try_emplace(to.place, world_.now());
                   !first && world_.now() - since->second > 2 * between_syncs) {
          connection.told.insert(to.place);
        }
      }
    }
  }
}

/// Into the kernels' tables, where their directors see it.
void Clients::count() {
  for (auto& node : world_.nodes()) {
    for (const auto& service : world_.file().services) {
      const auto row = node.kernel.table.find(service.key);
      if (row == node.kernel.table.end()) continue;
      for (auto& [key, status] : row->second.destinations) status.active = 0;
    }
    for (auto& [key, status] : node.kernel.trash) status.active = 0;
  }
  for (const auto& connection : connections_) {
    for (const auto place : connection.known) {
      if (auto* status = status_of(world_.nodes()[place], connection.service, connection.server)) ++status->active;
    }
  }
}

}  // namespace cluster_sim
