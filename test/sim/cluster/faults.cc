// What befalls a cluster, and what is done to it. Each picks whom it concerns by the seed, and is mended after a while.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/time_text.h"
#include "test/sim/cluster/life_of_seed.h"

namespace cluster_sim {

using namespace std::chrono_literals;

Node* Life::pick(const std::function<bool(Node&)>& fits) {
  std::vector<Node*> found;
  for (auto& node : world_.nodes()) {
    if (fits(node)) found.push_back(&node);
  }
  return found.empty() ? nullptr : found[below(found.size())];
}

bool Life::crash() {
  Node* node = pick([](const Node& each) { return each.director && !each.stopping; });
  if (node == nullptr) return false;
  world_.crash(*node);
  restart_later(*node);
  return true;
}

bool Life::power_loss() {
  Node* node = pick([](const Node& each) { return each.director && !each.stopping; });
  if (node == nullptr) return false;
  world_.lose_power(*node);
  restart_later(*node);
  return true;
}

bool Life::disk_trouble(Disk::Behaviour behaviour) {
  Node* node = pick([](const Node& each) { return each.disk.behaviour == Disk::Behaviour::well; });
  if (node == nullptr) return false;
  world_.set_disk(*node, behaviour);
  later([this, node] {
    world_.set_disk(*node, Disk::Behaviour::well);
    if (node->runs() && node->refused_file) world_.reload(*node);  // the operator tries again
  });
  return true;
}

bool Life::disk_fills() { return disk_trouble(Disk::Behaviour::full); }
bool Life::disk_hangs() { return disk_trouble(Disk::Behaviour::hangs); }
bool Life::threads_fail() { return disk_trouble(Disk::Behaviour::no_threads); }

bool Life::clock_step() {
  Node* node = pick([](const Node&) { return true; });
  const auto step = std::chrono::seconds(1 + below(7200));
  world_.step_clock(*node, below(2) == 0 ? step : -step);
  return true;
}

bool Life::stop() {
  Node* node = running();
  if (node == nullptr) return false;
  world_.stop(*node);
  undo_.emplace(world_.now() + 4s + between(0ms, 3000ms), [this, node] {
    if (!node->director) world_.start(*node);
  });
  return true;
}

bool Life::stall() {
  Node* node = running();
  if (node == nullptr) return false;
  world_.stall(*node);
  later([this, node] {
    if (node->stalled) world_.resume(*node);
  });
  return true;
}

bool Life::replace() {
  Node* node = running();
  if (node == nullptr) return false;
  world_.replace(*node);
  return true;
}

bool Life::lose_gateway() {
  Node* node = pick([](const Node& each) { return !each.no_gateway_since; });
  if (node == nullptr || world_.file().virtual_routers.front().trackers.empty()) return false;
  world_.set_gateway(*node, false);
  later([this, node] { world_.set_gateway(*node, true); });
  return true;
}

bool Life::cut_off(bool both_ways) {
  if (world_.nodes().size() < 2) return false;
  Node* a = pick([](const Node&) { return true; });
  Node* b = pick([&](const Node& node) { return &node != a; });
  const char* interface = below(2) == 0 ? front : back;
  const auto set = [this, a, b, interface, both_ways](bool is_cut) {
    world_.cut(*a, *b, interface, is_cut);
    if (both_ways) world_.cut(*b, *a, interface, is_cut);
  };
  set(true);
  later([set] { set(false); });
  return true;
}

bool Life::partition() { return cut_off(true); }
bool Life::one_way_loss() { return cut_off(false); }

bool Life::link_down() {
  const char* interface = below(2) == 0 ? front : back;
  Node* node = pick([&](const Node& each) { return each.carrier.at(interface); });
  if (node == nullptr) return false;
  world_.set_carrier(*node, interface, false);
  later([this, node, interface] { world_.set_carrier(*node, interface, true); });
  return true;
}

bool Life::trouble(Behaviour behaviour) {
  const auto& servers = service().servers;
  const auto endpoint = servers[below(servers.size())].endpoint;
  world_.set_behaviour(endpoint, behaviour);
  later([this, endpoint] { world_.set_behaviour(endpoint, Behaviour::well); });
  return true;
}

bool Life::server_dies() { return trouble(Behaviour::refuses); }
bool Life::server_hangs() { return trouble(Behaviour::hangs); }

/// One of those in the file that the node has.
Life::Named Life::server_of(const Node& node) {
  const auto& services = node.cluster.services;
  const auto& one = services[below(services.size())];
  return {.service = one.name, .server = one.servers[below(one.servers.size())].name};
}

bool Life::drain() {
  Node* node = running();
  if (node == nullptr) return false;
  const auto which = server_of(*node);
  const auto name = which.both();
  const bool over = node->overrides.drained.contains(name);
  std::optional<std::chrono::seconds> within;
  if (!over && below(2) == 0) within = std::chrono::seconds(below(10));
  world_.say(fmt::format("{} {} on {}{}", over ? "undrain" : "drain", name, node->config.name,
                         within ? " within " + net::to_string(*within) : ""));
  if (within) clients_connect();  // some of which it outlives
  const auto told = world_.mutation() == Mutation::drains_for_ever ? std::nullopt : within;
  if (world_.mutation() != Mutation::ignores_orders) {
    const auto done = over ? node->director->overrides().undrain(which.service, which.server)
                           : node->director->overrides().drain(which.service, which.server, "the simulation", told);
    if (!done) world_.violate(fmt::format("{} is refused: {}", over ? "undrain" : "drain", done.error().message));
  }
  if (over) {
    node->overrides.drained.erase(name);
    node->overrides.limited.erase(name);
    node->ends.erase(name);
  } else {
    node->overrides.drained.insert(name);
    if (within) node->overrides.limited.insert(name);
    if (within) node->ends[name] = world_.now() + *within - 1ms;  // what a restart knows of it
  }
  world_.note_order(*node);
  return true;
}

bool Life::weigh() {
  Node* node = running();
  if (node == nullptr) return false;
  const auto which = server_of(*node);
  const auto name = which.both();
  const bool over = node->overrides.weights.contains(name);
  const auto weight = static_cast<std::uint32_t>(1 + below(20));
  std::optional<std::chrono::seconds> time;
  if (!over && below(2) == 0) time = std::chrono::seconds(1 + below(10));
  world_.say(fmt::format("weight of {} on {}: {}{}", name, node->config.name,
                         over ? "the file's" : std::to_string(weight), time ? " for " + net::to_string(*time) : ""));
  if (world_.mutation() != Mutation::ignores_orders) {
    const auto done = node->director->overrides().set_weight(which.service, which.server,
                                                             over ? std::nullopt : std::optional(weight), "", time);
    if (!done) world_.violate("weight is refused: " + done.error().message);
  }
  if (over || time) {
    node->overrides.weights.erase(name);
  } else {
    node->overrides.weights[name] = static_cast<int>(weight);
  }
  world_.note_order(*node);
  return true;
}

bool Life::fail_over() {
  Node* node = pick([&](Node& each) { return each.runs() && world_.serves(each); });
  if (node == nullptr || world_.nodes().size() < 2) return false;
  const auto led = world_.groups_of(*node);
  const auto& router = world_.file().groups[led[below(led.size())]].front();
  world_.say(fmt::format("failover of {} from {}", router, node->config.name));
  std::ignore = node->director->hand_over(router, std::nullopt);
  return true;
}

/// The file is edited on all, and read by each a little later.
bool Life::reload() {
  edited_ = edited(edited_, [this](std::size_t bound) { return below(bound); });
  world_.say("the file is edited");
  world_.set_file(edited_);
  for (auto& node : world_.nodes()) {
    undo_.emplace(world_.now() + between(0ms, 1000ms), [this, &node] {
      if (node.runs()) world_.reload(node);
    });
  }
  return true;
}

bool Life::bad_file() {
  Node* node = running();
  if (node == nullptr) return false;
  world_.reload_bad_file(*node);
  return true;
}

bool Life::kernel_error() {
  Node* node = running();
  if (node == nullptr) return false;
  using Fault = ipvs::MemoryKernel::Fault;
  constexpr std::array all = {Fault::lost_reply, Fault::no_buffers, Fault::busy, Fault::interrupted_dump};
  world_.say("the kernel of " + node->config.name + " will fail");
  node->kernel.faults.push_back(all[below(all.size())]);
  return true;
}

/// As with ipvsadm.
bool Life::change_by_hand() {
  Node* node = running();
  if (node == nullptr || node->kernel.table.size() < 2) return false;
  for (auto& [key, status] : node->kernel.table) {
    if (key == strangers_service || status.destinations.empty()) continue;
    auto& [endpoint, destination] = *status.destinations.begin();
    node->changed_by_hand = world_.now();
    node->connections[key].erase(endpoint);
    world_.say(fmt::format("somebody changes {} of {} on {}", net::to_string(endpoint.endpoint), to_string(key),
                           node->config.name));
    if (below(2) == 0) {
      destination.destination.weight += 7;
    } else {
      status.destinations.erase(endpoint);
    }
    return true;
  }
  return false;
}

/// Many at once.
bool Life::clients_connect() {
  world_.say("clients connect");
  world_.clients().connect(1 + below(20));
  return true;
}

bool Life::clients_leave() {
  world_.say("clients leave");
  world_.clients().leave();
  return true;
}

bool Life::take_address() {
  Node* node = pick([&](Node& each) { return world_.serves(each); });
  if (node == nullptr) return false;
  const auto led = world_.groups_of(*node);
  const auto& name = world_.file().groups[led[below(led.size())]][below(2)];
  const auto& router = *std::ranges::find(world_.file().virtual_routers, name, &config::VirtualRouter::name);
  world_.say(fmt::format("somebody takes {} from {}", net::to_string(router.addresses[0].prefix), node->config.name));
  const int index = index_of(router.interfaces.at(node->config.name));
  if (auto dropped = node->host.drop_address(index, router.addresses[0].prefix); !dropped)
    world_.violate(dropped.error().message);
  node->able_from = world_.now();
  return true;
}

bool Life::stranger_speaks() {
  if (world_.stranger_speaks()) return false;
  world_.set_stranger(true);
  later([this] { world_.set_stranger(false); });
  return true;
}

bool Life::lose_ip_vs() {
  Node* node = pick([](const Node& each) { return !each.unloaded_since; });
  if (node == nullptr) return false;
  world_.unload_ip_vs(*node);
  later([this, node] {
    if (node->unloaded_since) world_.load_ip_vs(*node);
  });
  return true;
}

bool Life::refuse_addresses() {
  Node* node = running();
  if (node == nullptr) return false;
  world_.say("the host of " + node->config.name + " will refuse an address");
  node->host.injected_errors.push_back(EPERM);
  node->able_from = world_.now();
  return true;
}

}  // namespace cluster_sim
