#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "config/cluster.h"
#include "ipvs/types.h"
#include "net/clock.h"

namespace cluster_sim {

class World;
struct Node;

/// Who uses the cluster: they open connections, keep them for a while, send on them now and then, and close them. What
/// the kernels know of their connections is here, as the kernel has it: by each that directed one, and by each that was
/// told of it. A rule is broken where a client is turned away, misled or cut off without a reason.
class Clients {
 public:
  /// `world` must outlive this; nobody does anything before start().
  explicit Clients(World& world) : world_(world) {}

  void start(net::Instant now) { next_ = now; }
  /// When somebody does something next.
  [[nodiscard]] net::Instant next() const { return next_; }
  /// What is due now. Throws Violation.
  void act();

  /// So many more connections at once.
  void connect(std::size_t number);
  /// About half of all connections are closed.
  void leave();
  void leave_all();
  /// The node's kernel has been started anew: what it knew is gone.
  void forget(const Node& node);

 private:
  using Weights = std::map<net::Endpoint, std::uint32_t>;  ///< of the servers that get new connections
  struct Connection {
    ipvs::ServiceKey service;
    net::Endpoint server;
    std::size_t hash;  ///< of the client's address and port
    net::Instant opened;
    std::size_t director;             ///< the node that directed its last packet
    std::set<std::size_t> known{};    ///< the nodes whose kernels know it
    std::set<std::size_t> unbound{};  ///< those that were told of it when their tables did not have its server
    /// The nodes that its director can tell of it, as the file has it, and since when; and those that must know it.
    std::map<std::size_t, net::Instant> tellable{};
    std::set<std::size_t> told{};
    Weights weights{};                    ///< from which its server was chosen
    std::optional<net::Instant> stuck{};  ///< since when its packets go nowhere
  };

  /// Whom a node's kernel leads by the persistence of a service, and to which server: a client's template.
  using Templates = std::map<std::tuple<std::size_t, ipvs::ServiceKey, std::size_t>, net::Endpoint>;

  void open();
  /// False: the connection is over.
  [[nodiscard]] bool send(Connection& connection);
  [[nodiscard]] bool meet_unknown(Connection& connection, Node& node);
  [[nodiscard]] bool goes_on_without_server(Connection& connection, const Node& node);
  void check_choice(const Node& node, const config::Service& service, const net::Endpoint& server);
  [[nodiscard]] std::optional<net::Endpoint> led_to(Node& node, const ipvs::ServiceKey& service, std::size_t client,
                                                    const Weights& weights, std::size_t hash);
  void check_refusal(const Node& node, const config::Service& service);
  void sync();
  void count();

  [[nodiscard]] Node* director_of(const ipvs::ServiceKey& service);
  [[nodiscard]] static Weights weights_of(const Node& node, const ipvs::ServiceKey& service);
  [[nodiscard]] std::optional<net::Endpoint> choose(const Node& node, const ipvs::ServiceKey& service,
                                                    const Weights& weights, std::size_t hash);

  World& world_;
  std::deque<Connection> connections_;
  Templates templates_;
  net::Instant next_ = net::Instant::max(), next_sync_{};
};

}  // namespace cluster_sim
