#include "test/sim/cluster/life.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <nlohmann/json.hpp>

#include "director/control/status.h"
#include "ipvs/diff.h"
#include "test/sim/cluster/shop.h"
#include "test/sim/cluster/world.h"

namespace cluster_sim {

namespace {

using namespace std::chrono_literals;

constexpr Duration peace = 20s;  ///< after the last fault, until all must be as it should

const ipvs::ServiceKey strangers_service{
    .protocol = ipvs::Protocol::tcp, .endpoint = net::Endpoint::parse("10.9.9.9:25").value(), .fwmark = 0};

class Life {
 public:
  Life(std::uint64_t seed, bool trace, Mutation mutation)
      : random_(seed), world_(random_shop([this](std::size_t bound) { return below(bound); }), seed, mutation, trace) {}

  Outcome run();

 private:
  struct Named {
    std::string service, server;
    [[nodiscard]] std::string both() const { return service + "/" + server; }
  };
  struct Deed {
    const char* name;
    bool (Life::*done)();  ///< false: there was nothing to do it to
  };

  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  Duration between(std::chrono::milliseconds low, std::chrono::milliseconds high) {
    return low + std::chrono::milliseconds(below(static_cast<std::size_t>((high - low).count())));
  }
  Node* pick(const std::function<bool(Node&)>& fits);
  Node* running() {
    return pick([](const Node& node) { return node.runs(); });
  }
  config::Service& service() { return edited_.services[below(edited_.services.size())]; }
  /// After a while, or when peace comes.
  void later(std::function<void()> undo) { undo_.emplace(world_.now() + between(50ms, 5000ms), std::move(undo)); }

  bool crash();
  bool stop();
  bool stall();
  bool partition();
  bool one_way_loss();
  bool link_down();
  bool server_dies();
  bool server_hangs();
  bool drain();
  bool weigh();
  bool fail_over();
  bool reload();
  bool kernel_error();
  bool change_by_hand();
  bool take_address();
  bool refuse_addresses();

  void go_on(Duration duration);
  void check_peace();
  bool cut_off(bool both_ways);
  bool trouble(Mood mood);
  Named server_of(const Node& node);

  std::mt19937_64 random_;
  World world_;
  config::Cluster edited_ = world_.file();
  std::multimap<Instant, std::function<void()>> undo_;
  std::map<std::string, int> befell_;
};

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
  later([this, node] {
    if (!node->director) world_.start(*node);
  });
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

bool Life::trouble(Mood mood) {
  const auto& servers = service().servers;
  const auto endpoint = servers[below(servers.size())].endpoint;
  world_.set_mood(endpoint, mood);
  later([this, endpoint] { world_.set_mood(endpoint, Mood::well); });
  return true;
}

bool Life::server_dies() { return trouble(Mood::refuses); }
bool Life::server_hangs() { return trouble(Mood::hangs); }

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
  const bool back = node->drained.contains(name);
  world_.say(fmt::format("{} {} on {}", back ? "undrain" : "drain", name, node->config.name));
  const auto done = back ? node->director->orders().undrain(which.service, which.server)
                         : node->director->orders().drain(which.service, which.server, "the simulation");
  if (!done) world_.violate(fmt::format("{} is refused: {}", back ? "undrain" : "drain", done.error().message));
  if (back) {
    node->drained.erase(name);
  } else {
    node->drained.insert(name);
  }
  return true;
}

bool Life::weigh() {
  Node* node = running();
  if (node == nullptr) return false;
  const auto which = server_of(*node);
  const auto name = which.both();
  const bool back = node->weights.contains(name);
  const auto weight = static_cast<std::uint32_t>(1 + below(20));
  world_.say(
      fmt::format("weight of {} on {}: {}", name, node->config.name, back ? "the file's" : std::to_string(weight)));
  const auto done =
      node->director->orders().set_weight(which.service, which.server, back ? std::nullopt : std::optional(weight));
  if (!done) world_.violate("weight is refused: " + done.error().message);
  if (back) {
    node->weights.erase(name);
  } else {
    node->weights[name] = static_cast<int>(weight);
  }
  return true;
}

bool Life::fail_over() {
  Node* node = pick([&](Node& each) { return each.runs() && world_.serves(each); });
  if (node == nullptr || world_.nodes().size() < 2) return false;
  world_.say("failover from " + node->config.name);
  std::ignore = node->director->hand_over("front", std::nullopt);
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

bool Life::take_address() {
  Node* node = pick([&](Node& each) { return world_.serves(each); });
  if (node == nullptr) return false;
  const auto& router = world_.file().virtual_routers[below(2)];
  world_.say(fmt::format("somebody takes {} from {}", net::to_string(router.addresses[0].prefix), node->config.name));
  const int index = 2 + static_cast<int>(router.name == "back");
  if (auto dropped = node->host.drop_address(index, router.addresses[0].prefix); !dropped)
    world_.violate(dropped.error().message);
  node->able_from = world_.now();
  return true;
}

bool Life::refuse_addresses() {
  Node* node = running();
  if (node == nullptr) return false;
  world_.say("the host of " + node->config.name + " will refuse an address");
  node->host.refusals.push_back(EPERM);
  node->able_from = world_.now();
  return true;
}

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
  int serving = 0;
  for (auto& node : world_.nodes()) {
    const auto& name = node.config.name;
    serving += world_.serves(node) ? 1 : 0;
    if (!node.kernel.table.contains(strangers_service)) world_.violate(name + " has removed a service of others");
    auto table = ipvs::table_of(node.kernel.table);
    table.erase(strangers_service);
    std::string differences;
    for (const auto& op : ipvs::diff(expected(node, world_.servers()), table)) differences += "\n  " + to_string(op);
    if (!differences.empty()) world_.violate(name + "'s table is not as it should be; it would take" + differences);
    const auto status = director::status(*node.director);
    // One whose addresses were refused says so until it leads again.
    const bool refused = !world_.serves(node) && befell_.contains("address refused");
    for (const auto& problem : status["problems"]) {
      if (refused && problem.get<std::string>().contains("Operation not permitted")) continue;
      world_.violate(name + " still has a problem: " + problem.get<std::string>());
    }
  }
  if (serving != 1) world_.violate(fmt::format("{} nodes serve, not one", serving));
}

Outcome Life::run() {
  static constexpr std::array deeds = {
      Deed{"crash", &Life::crash},
      Deed{"stop", &Life::stop},
      Deed{"stall", &Life::stall},
      Deed{"partition", &Life::partition},
      Deed{"one-way loss", &Life::one_way_loss},
      Deed{"link down", &Life::link_down},
      Deed{"server dies", &Life::server_dies},
      Deed{"server hangs", &Life::server_hangs},
      Deed{"drain", &Life::drain},
      Deed{"weight", &Life::weigh},
      Deed{"failover", &Life::fail_over},
      Deed{"reload", &Life::reload},
      Deed{"kernel error", &Life::kernel_error},
      Deed{"change by hand", &Life::change_by_hand},
      Deed{"address taken", &Life::take_address},
      Deed{"address refused", &Life::refuse_addresses},
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
    for (auto& node : world_.nodes()) {
      node.kernel.faults.clear();
      node.host.refusals.clear();
      if (node.stopping) world_.run(5s);
      if (!node.director) world_.start(node);
      if (node.cluster != world_.file()) world_.reload(node);
    }
    world_.run(peace);
    check_peace();
  } catch (const Violation& violation) {
    outcome.broken = violation.what;
  }
  outcome.story = world_.story();
  outcome.befell = befell_;
  return outcome;
}

}  // namespace

Outcome live(std::uint64_t seed, bool trace, Mutation mutation) { return Life(seed, trace, mutation).run(); }

}  // namespace cluster_sim
