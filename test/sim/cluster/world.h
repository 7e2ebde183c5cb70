#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/cluster.h"
#include "director/engine/engine.h"
#include "ipvs/memory_kernel.h"
#include "net/loop.h"
#include "net/memory_host.h"
#include "net/virtual_clock.h"
#include "test/sim/cluster/clients.h"
#include "test/sim/cluster/disk.h"
#include "test/sim/cluster/mutation.h"
#include "test/sim/cluster/servers.h"

/// Whole directors in virtual time: each with its loop, its host and its kernel in memory, on links that can be cut,
/// in front of simulated real servers.
namespace cluster_sim {

using net::Duration;
using net::Instant;

/// A rule was broken. The seed of the life that broke it replays it.
struct Violation {
  std::string what;
};

inline constexpr const char* front = "eth0";  ///< each node's interface to the clients
inline constexpr const char* back = "eth1";   ///< and to the real servers
[[nodiscard]] constexpr int index_of(std::string_view interface) { return interface == front ? 2 : 3; }

[[nodiscard]] inline double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// What an operator said of servers, by "service/server".
struct ExpectedOverrides {
  std::set<std::string> drained{};
  std::set<std::string> limited{};       ///< those of them that leave the table after a while
  std::map<std::string, int> weights{};  ///< those that have no end

  bool operator==(const ExpectedOverrides&) const = default;
};

/// One machine: what is in its kernel outlives the director that runs on it.
struct Node {
  config::Node config;
  std::size_t place = 0;  ///< among the nodes
  net::VirtualClock clock{};
  net::Loop loop = net::Loop::create(clock).value();
  net::MemoryHost host{clock};
  ipvs::MemoryKernel kernel{};
  Disk disk{};
  std::unique_ptr<ipvs::Kernel> seen_kernel{};  ///< the same kernel and host, as its director reaches them
  std::unique_ptr<net::Host> seen_host{};
  std::unique_ptr<director::Engine> director{};
  bool stalled = false;                   ///< SIGSTOP: its loop does not turn, its kernel goes on
  bool stopping = false;                  ///< was told to stop
  bool stopped = false;                   ///< and has: its director is to go
  bool replaced = false;                  ///< it has made way for the next one
  std::optional<std::uint64_t> led_at{};  ///< it led when it was to be replaced, and nothing but so many deeds was done
  std::vector<std::size_t> led{};         ///< these groups
  bool refused_file = false;              ///< the last file that it read was none
  Instant able_from{};                    ///< when it was last started, resumed, or got its links back
  config::Cluster cluster{};              ///< the file that it has in force
  ExpectedOverrides overrides{};          ///< what its operator wants now
  std::vector<ExpectedOverrides> history{};  ///< the same since the start and after each order
  std::size_t promised = 0;                  ///< which of these was the last that was said to be durable
  director::KnownOrders promised_orders{};   ///< the same of the orders that its director shares with others
  std::optional<Instant> changed_by_hand{};  ///< when somebody changed its table last
  std::optional<Instant> idle_since{};       ///< its director does not run, or stands still
  std::map<ipvs::ServiceKey, std::map<ipvs::DestinationKey, std::uint32_t>> connections{};  ///< as last looked at
  std::map<std::string, bool> carrier = {{front, true}, {back, true}};
  std::optional<Instant> no_gateway_since{};   ///< it does not reach what it must
  std::optional<Instant> unloaded_since{};     ///< its kernel has no ip_vs
  std::map<std::string, Instant> ends{};       ///< of limited drains: when the server may leave the table
  bool clock_set = false;                      ///< since its director started
  Instant told_at{};                           ///< when an operator or a file last told it something
  Instant failed_at{};                         ///< when its kernel was last to fail
  std::map<net::Endpoint, Instant> removed{};  ///< servers that left its file, and when

  /// Whether its director has had time to bring the table to what its file and its operator want.
  [[nodiscard]] bool is_settled(Instant now) const;
  /// Whether somebody has changed its table, and its director may not know.
  [[nodiscard]] bool is_changed_by_hand(Instant now) const;
  /// What its table has of a server; null: nothing.
  [[nodiscard]] const ipvs::DestinationStatus* find(const ipvs::ServiceKey& service, const net::Endpoint& server) const;

  [[nodiscard]] bool runs() const { return director && !stalled && !stopping; }
  [[nodiscard]] bool connected() const { return runs() && carrier.at(front) && carrier.at(back); }
  /// Runs, and nothing keeps it from the role.
  [[nodiscard]] bool able() const { return connected() && !unloaded_since && !(no_gateway_since && needs_gateway()); }
  [[nodiscard]] bool needs_gateway() const {
    const auto& trackers = cluster.virtual_routers.front().trackers;
    return !trackers.empty() && trackers.front().lower == 0;
  }
};

class Connections;

class World {
 public:
  /// `nodes` are not started. With `trace` the story is printed as it happens.
  World(const config::Cluster& cluster, std::uint64_t seed, Mutation mutation, bool trace);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] Instant now() const { return now_; }
  [[nodiscard]] std::deque<Node>& nodes() { return nodes_; }
  [[nodiscard]] const std::deque<Node>& nodes() const { return nodes_; }
  [[nodiscard]] Servers& servers() { return servers_; }
  [[nodiscard]] Clients& clients() { return clients_; }
  [[nodiscard]] const config::Cluster& file() const { return file_; }  ///< on every node's disk

  /// Lets time pass. Throws Violation.
  void run(Duration duration);

  // What befalls it.
  void start(Node& node);
  void crash(Node& node);
  void lose_power(Node& node);
  void set_disk(Node& node, Disk::Behaviour behaviour);
  void step_clock(Node& node, std::chrono::seconds by);
  /// The operator has given an order, and `overrides` is what he wants now.
  void note_order(Node& node);
  void stop(Node& node);
  /// Another director goes on in its place, as `directorctl replace` does.
  void replace(Node& node);
  void set_gateway(Node& node, bool reached);
  /// `rmmod ip_vs`, and `modprobe ip_vs`.
  void unload_ip_vs(Node& node);
  void load_ip_vs(Node& node);
  void stall(Node& node);
  void resume(Node& node);
  void set_carrier(Node& node, const std::string& interface, bool carrier);
  /// Packets of `from` no longer reach `to` on an interface, or do again.
  void cut(const Node& from, const Node& to, const std::string& interface, bool is_cut);
  /// Another virtual router with our VRID speaks on the front link, and garbage comes with it, or no longer.
  void set_stranger(bool speaks);
  [[nodiscard]] bool stranger_speaks() const { return stranger_since_.has_value(); }
  void set_behaviour(const net::Endpoint& server, Behaviour behaviour);
  void set_file(config::Cluster file) { file_ = std::move(file); }
  void reload(Node& node);
  /// The same of a file that is none.
  void reload_bad_file(Node& node);

  /// Whether packets of one node reach another on an interface, if the links have carriers.
  [[nodiscard]] bool passes(const Node& from, const Node& to, const std::string& interface) const;
  /// Whether packets pass between two nodes, both ways, on all links, and since when.
  [[nodiscard]] std::optional<Instant> hear_each_other_since(const Node& a, const Node& b) const;
  /// Which groups of virtual routers a node leads, by their places in the file: all addresses of each are on it, and
  /// its links work.
  [[nodiscard]] std::vector<std::size_t> groups_of(Node& node) const;
  [[nodiscard]] bool serves(Node& node) const { return !groups_of(node).empty(); }
  [[nodiscard]] bool holds(Node& node, const net::Address& address) const;
  [[nodiscard]] std::vector<net::Address> virtual_addresses() const;

  /// Adds what is done to somebody to the story.
  void say(const std::string& line);
  [[nodiscard]] const std::string& story() const { return story_; }
  [[noreturn]] void violate(const std::string& what) const { throw Violation{what}; }

  /// How often each rule had something to look at: what it is about was so.
  [[nodiscard]] const std::map<std::string, int>& reached() const { return reached_; }
  void reach(const std::string& rule) { ++reached_[rule]; }
  [[nodiscard]] Mutation mutation() const { return mutation_; }
  [[nodiscard]] std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }

 private:
  struct Packet {
    Instant at;
    std::uint64_t order = 0;
    std::size_t to = 0;
    std::string interface;
    net::Address source, destination;
    std::uint8_t ttl = 0;
    std::vector<std::byte> bytes;
    bool operator>(const Packet& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  using Way = std::pair<std::size_t, std::size_t>;  ///< from one node to another, by their places

  [[nodiscard]] std::set<net::Address> virtual_addresses_of(Node& node) const;
  void tell_line(const std::string& line);
  void carry(const Node& from, const std::string& interface, const net::RawSocket::Packet& packet);
  void send_to(const Node& to, Packet packet);
  void let_stranger_speak();
  void pass_to(Instant then);
  void turn_all();
  [[nodiscard]] bool turns(const Node& node) const;
  void tell(Node& node);
  void remember(Node& node);
  void check_promise(Node& node, const ExpectedOverrides& found);
  void put_in_force(Node& node);
  void succeed(Node& node);
  [[nodiscard]] config::Cluster file_of(const Node& node) const;
  void await_durability(Node& node, std::size_t order);
  void adopt_orders(Node& node);
  [[nodiscard]] Instant next(Instant limit);
  void check_now();
  void check_dead_servers(Node& node);
  void check_idle(Node& node);
  void check_gateway(Node& node);
  void check_unloaded(Node& node);
  void check_connections(Node& node);
  void check_removed(const Node& node);
  void check_told(const Node& node);
  void check_advert(const Node& node, std::span<const std::byte> advert);

  Servers servers_;
  Clients clients_{*this};
  std::unique_ptr<Connections> connections_;
  config::Cluster file_;
  std::deque<Node> nodes_;
  Instant now_;
  std::mt19937_64 random_;
  std::uint64_t order_ = 0;
  std::uint64_t deeds_ = 0;      ///< how much was done to anybody
  std::vector<Packet> packets_;  ///< a heap, earliest first
  std::map<Way, Instant> last_arrival_;
  std::map<std::string, std::set<Way>> cuts_;  ///< by interface
  std::map<Way, Instant> mended_;              ///< when a way was last mended
  std::optional<Instant> stranger_since_;      ///< speaks
  Instant stranger_next_{};                    ///< and when it does next
  std::map<std::size_t, std::uint64_t> told_;  ///< the last event of each node that the story has
  std::map<Way, Instant> both_since_;          ///< two nodes that hear each other hold the same address
  Instant next_told_{};                        ///< when what the directors tell of themselves is looked at next
  std::map<std::size_t, Instant> none_since_;  ///< nobody leads that group, although one could
  std::map<std::pair<std::size_t, std::string>, Instant> wrong_since_;  ///< a dead server gets connections
  std::map<std::string, int> reached_;
  Mutation mutation_;
  bool trace_;
  std::string story_;
};

/// How long a probe may be silent about what a server does, until the table follows.
[[nodiscard]] Duration detection_time(const checkers::Spec& check);

/// What operators want by the orders that a director has.
[[nodiscard]] ExpectedOverrides overrides_in(const director::OrderBook& orders);
/// What a state file says that operators want; `text` may be empty.
[[nodiscard]] ExpectedOverrides overrides_in(const std::string& text);

/// The table that a node's file, its operator's overrides and the servers' health ask for, without the services of
/// others.
[[nodiscard]] ipvs::Table expected(const Node& node, const Servers& servers);

}  // namespace cluster_sim
