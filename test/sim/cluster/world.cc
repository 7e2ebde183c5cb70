#include "test/sim/cluster/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "director/control/status.h"
#include "net/time_text.h"
#include "test/sim/cluster/shop.h"
#include "test/sim/cluster/transport.h"

namespace cluster_sim {

namespace {

using namespace std::chrono_literals;

constexpr int most_turns = 10'000;  ///< at one moment: more is a loop that never comes to rest

net::Mac mac_of(std::size_t node, std::size_t interface) {
  return {std::byte{2},
          std::byte{0},
          std::byte{0},
          std::byte{0},
          static_cast<std::byte>(node),
          static_cast<std::byte>(interface)};
}

net::Prefix prefix(const std::string& text) { return net::Prefix::parse(text).value(); }

}  // namespace

World::World(const config::Cluster& cluster, std::uint64_t seed, Mutation mutation, bool trace)
    : connections_(std::make_unique<Connections>(*this)),
      file_(cluster),
      random_(seed),
      mutation_(mutation),
      trace_(trace) {
  for (const auto& config : cluster.nodes) {
    auto& node = nodes_.emplace_back();
    node.config = config;
    node.place = nodes_.size() - 1;
    const auto number = node.place + 1;
    for (const auto& [interface, network] : {std::pair(front, "192.168.56"), std::pair(back, "192.168.200")}) {
      node.host.add_interface(interface, mac_of(number, interface == front ? 0 : 1));
      if (auto added = node.host.add_address(interface, prefix(fmt::format("{}.{}/24", network, number))); !added)
        violate(added.error().message);
    }
    for (const char* name : {"expire_quiescent_template", "sloppy_tcp", "sloppy_sctp"})
      node.host.settings[std::string("net/ipv4/vs/") + name] = std::string(1, '0');
    node.kernel.interfaces = {{back, 1500}};
    node.seen_kernel = mutated(node.kernel, mutation);
    node.seen_host = mutated(static_cast<net::Host&>(node.host), mutation);
    node.host.on_send = [this, &node](const std::string& interface, const net::RawSocket::Packet& packet) {
      carry(node, interface, packet);
    };
  }
  now_ = nodes_.front().clock.now();
  clients_.start(now_);
}

World::~World() {
  for (auto& node : nodes_) node.director.reset();  // while all that they speak with is there
}

void World::say(const std::string& line) {
  ++deeds_;
  tell_line(line);
}

void World::tell_line(const std::string& line) {
  const auto text = fmt::format("{:9.3f} {}\n", seconds(now_.time_since_epoch() - 1h), line);
  if (trace_) fmt::print("{}", text);
  story_ += text;
}

/// What the director tells of itself belongs to the story.
void World::tell(Node& node) {
  if (!node.director) return;
  auto& told = told_[node.place];
  const auto& log = node.director->log().events();
  if (log.empty() || log.back().number <= told) return;
  const auto events = director::events_status(*node.director, told);
  for (const auto& event : events["events"]) {
    told = event["number"].get<std::uint64_t>();
    const bool by_hand = node.is_changed_by_hand(now_);
    if (event["kind"] == "table_changed") ++reached_["rule: a change by others is put right"];
    if (event["kind"] == "table_changed" && !by_hand && node.cluster.services.size() < 10)
      violate(node.config.name + " finds that somebody changed its table, and nobody did");
    tell_line(fmt::format("{}: {}: {}", node.config.name, event["subject"].get<std::string>(),
                          event["text"].get<std::string>()));
  }
}

void World::start(Node& node) {
  if (node.unloaded_since) load_ip_vs(node);  // who opens its table has it loaded
  say("start " + node.config.name);
  std::ignore = node.kernel.reopen();
  put_in_force(node);
  node.refused_file = false;
  remember(node);
  node.able_from = now_;
  told_.erase(node.place);
  std::ignore = node.loop.turn({});  // its clock has stood still since the last life's end
  if (std::exchange(node.clock_set, false)) {
    for (auto& [server, end] : node.ends) end = now_;  // they were kept by another clock
    node.removed.clear();
  }
  const auto probers = servers_.probers(mutation_, [&node, this](const net::Endpoint& target) {
    const bool lost = target == gateway() && node.no_gateway_since && mutation_ != Mutation::sees_every_gateway;
    return node.carrier.at(back) && !lost;
  });
  if (mutation_ == Mutation::flushes) node.kernel.table.clear();
  for (;;) {
    node.director = std::make_unique<director::Engine>(
        node.loop, *node.seen_kernel, *node.seen_host, file_of(node),
        director::Options{.node = node.config,
                          .state_file = {},
                          .make_disk = [&node, this](net::Loop& loop) { return node.disk.open(loop, mutation_); },
                          .make_prober = probers,
                          .process = random_(),
                          .make_transport = connections_->make_transport(node)});
    const bool fails = !node.kernel.faults.empty();
    const auto started = node.director->start();
    if (started) return await_durability(node, 1);
    say(fmt::format("{} does not start: {}", node.config.name, started.error().message));
    if (!fails) violate(started.error().message);
    node.director.reset();  // and the service manager starts it again
  }
}

void World::crash(Node& node) {
  tell(node);
  say("crash " + node.config.name);
  node.director.reset();
  node.stalled = node.stopping = node.stopped = node.replaced = false;
}

/// The file that is on its disk, and what its table has that has left the file; not what an operator had limited.
void World::put_in_force(Node& node) {
  for (const auto& service : node.cluster.services) {
    for (const auto& server : service.servers) {
      const bool is_there = node.find(service.key, server.endpoint) != nullptr;
      if (is_there && !node.ends.contains(service.name + "/" + server.name))
        node.removed.try_emplace(server.endpoint, now_);
    }
  }
  for (const auto& service : file_.services) {
    for (const auto& server : service.servers) node.removed.erase(server.endpoint);
  }
  node.cluster = file_;
}

/// One with other keys than its peers has them from the start.
config::Cluster World::file_of(const Node& node) const {
  auto file = file_;
  if (mutation_ != Mutation::has_other_keys || node.place != 1) return file;
  for (auto& router : file.virtual_routers) {
    if (router.authentication) router.authentication->keys = other_keys_file();
  }
  return file;
}

void World::set_disk(Node& node, Disk::Behaviour behaviour) {
  say(fmt::format("the disk of {} {}", node.config.name,
                  behaviour == Disk::Behaviour::well         ? "is well"
                  : behaviour == Disk::Behaviour::full       ? "is full"
                  : behaviour == Disk::Behaviour::no_threads ? "has no thread"
                                                             : "hangs"));
  node.disk.behaviour = behaviour;
  node.removed.clear();  // until when they drain may not be written
}

void World::step_clock(Node& node, std::chrono::seconds by) {
  say(fmt::format("the clock of {} is set by {} s", node.config.name, by.count()));
  node.clock.set_wall(node.clock.wall() + by);
  node.clock_set = true;
}

void World::stop(Node& node) {
  say("stop " + node.config.name);
  node.stopping = true;
  node.director->stop([&node] { node.stopped = true; });
}

void World::replace(Node& node) {
  say("replace " + node.config.name);
  node.stopping = true;
  node.led = groups_of(node);
  node.led_at = node.led.empty() ? std::nullopt : std::optional(deeds_);
  if (mutation_ == Mutation::stops_to_be_replaced) {
    node.director->stop([&node] { node.replaced = true; });
  } else {
    node.director->prepare_exec([&node] { node.replaced = true; });
  }
}

void World::set_gateway(Node& node, bool reached) {
  say(fmt::format("{} {} the gateway", node.config.name, reached ? "reaches" : "no longer reaches"));
  if (reached) {
    node.no_gateway_since.reset();
    node.able_from = now_;
  } else {
    node.no_gateway_since = now_;
  }
}

void World::stall(Node& node) {
  say("stall " + node.config.name);
  node.stalled = true;
}

void World::resume(Node& node) {
  say("resume " + node.config.name);
  node.stalled = false;
  node.able_from = now_;
}

void World::set_behaviour(const net::Endpoint& server, Behaviour behaviour) {
  say(fmt::format("server {} {}", net::to_string(server), to_string(behaviour)));
  servers_.set(server, behaviour, now_);
}

void World::reload(Node& node) {
  say("reload " + node.config.name);
  if (node.disk.behaviour == Disk::Behaviour::no_threads) {
    node.director->note_refused_file("the simulation", "reload failed: read cluster.yaml: " + std::string(no_thread));
    node.refused_file = true;
    return;
  }
  const auto file = mutation_ == Mutation::reads_old_files ? node.cluster : file_of(node);
  put_in_force(node);
  if (auto done = node.director->reload(director::make_node_config(file, node.config).value(), "the simulation"); !done)
    violate(node.config.name + " does not reload: " + done.error().message);
  node.told_at = now_;
  node.director->note_accepted_file();
  node.refused_file = false;
}

void World::reload_bad_file(Node& node) {
  say(node.config.name + " is given a file that is none");
  auto file = file_;
  for (auto& router : file.virtual_routers) router.authentication = {.keys = "/nowhere/vrrp.keys"};
  const auto node_config = director::make_node_config(file, node.config);
  if (node_config) violate("a file of keys that is missing is read");
  node.director->note_refused_file("the simulation", node_config.error().message);
  node.refused_file = true;
}

/// Whether its loop goes round.
bool World::turns(const Node& node) const {
  const bool stands = mutation_ == Mutation::stands_still && now_.time_since_epoch() > 1h + 60s;
  return node.director && !node.stalled && !stands;
}

Instant World::next(Instant limit) {
  auto next = std::min(limit, clients_.next());
  if (!packets_.empty()) next = std::min(next, packets_.front().at);
  if (stranger_since_) next = std::min(next, stranger_next_);
  for (auto& node : nodes_) {
    if (const auto expiry = node.host.next_expiry()) next = std::min(next, *expiry);
    if (!turns(node)) continue;
    if (const auto due = node.loop.next_due()) next = std::min(next, *due);
  }
  return std::max(next, now_);
}

/// It has made way, and leads still if it did and nothing else has happened meanwhile.
void World::succeed(Node& node) {
  node.director.reset();
  node.stopping = node.replaced = false;
  if (node.led_at == deeds_) {
    ++reached_["rule: a director that serves is replaced"];
    if (!std::ranges::includes(groups_of(node), node.led))
      violate(node.config.name + " was master and is not, since it was replaced");
  }
  start(node);
}

/// Until nothing is left to be done at this moment.
void World::turn_all() {
  for (auto& node : nodes_) {
    if (!turns(node)) continue;
    for (int turns = 0;; ++turns) {
      if (turns > most_turns) violate(node.config.name + "'s loop never comes to rest");
      if (auto turned = node.loop.turn({}); !turned) violate(turned.error().message);
      const auto due = node.loop.next_due();
      if (node.clock.ready() == 0 && (!due || *due > now_)) break;
    }
    tell(node);
    adopt_orders(node);
    if (node.replaced) succeed(node);
    if (!node.stopped) continue;
    say(node.config.name + " has stopped");
    node.director.reset();
    node.stopping = node.stopped = false;
  }
}

void World::run(Duration duration) {
  const auto end = now_ + duration;
  while (now_ < end) {
    turn_all();
    check_now();
    pass_to(next(end));
    if (now_ >= clients_.next()) clients_.act();
    if (stranger_since_ && now_ >= stranger_next_) let_stranger_speak();
  }
  turn_all();
  check_now();
}

bool World::holds(Node& node, const net::Address& address) const {
  return std::ranges::any_of(node.host.addresses(), [&](const auto& held) { return held.second.address == address; });
}

std::set<net::Address> World::virtual_addresses_of(Node& node) const {
  std::set<net::Address> here;
  const auto all = virtual_addresses();
  for (const auto& [index, held] : node.host.addresses()) {
    if (std::ranges::find(all, held.address) != all.end()) here.insert(held.address);
  }
  return here;
}

std::vector<std::size_t> World::groups_of(Node& node) const {
  std::vector<std::size_t> led;
  if (!node.carrier.at(front) || !node.carrier.at(back)) return led;
  const auto held = virtual_addresses_of(node);
  const auto is_held = [&](const std::string& name) {
    const auto router = std::ranges::find(file_.virtual_routers, name, &config::VirtualRouter::name);
    return std::ranges::all_of(router->addresses,
                               [&](const auto& address) { return held.contains(address.prefix.address); });
  };
  for (std::size_t group = 0; group < file_.groups.size(); ++group) {
    if (std::ranges::all_of(file_.groups[group], is_held)) led.push_back(group);
  }
  return led;
}

std::vector<net::Address> World::virtual_addresses() const {
  std::vector<net::Address> all;
  for (const auto& router : file_.virtual_routers) {
    for (const auto& address : router.addresses) all.push_back(address.prefix.address);
  }
  return all;
}

}  // namespace cluster_sim
