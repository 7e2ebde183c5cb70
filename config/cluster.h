#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkers/spec.h"
#include "ipvs/types.h"
#include "net/address.h"
#include "net/endpoint.h"
#include "net/error.h"
#include "vrrp/spec.h"

/// A cluster file's meaning as plain data: the same on every director. Names are unique within their list, order is the
/// file's.
namespace config {

struct Node {
  std::string name;             ///< the host name, or what --node says
  net::Address address;         ///< at which the other directors reach it
  std::uint8_t priority = 100;  ///< VRRP priority, 1..254, of virtual routers that have none of their own

  auto operator<=>(const Node&) const = default;
};

/// Whether a node with a higher priority takes the virtual addresses back when it returns, and the delay after its
/// start.
struct Preempt {
  /// Nothing only while the file is read: then true, or false where resources follow the role.
  std::optional<bool> allowed{};
  /// Nothing: at once, or after a default delay where connections are synced.
  std::optional<std::chrono::milliseconds> after{};

  auto operator<=>(const Preempt&) const = default;
};

/// What proves that advertisements come from a node of the cluster.
struct Authentication {
  std::string keys;  ///< the path of a file
  vrrp::SigningMode mode = vrrp::SigningMode::enforce;

  auto operator<=>(const Authentication&) const = default;
};

/// A link or a check that a master needs, beside the interfaces of its virtual routers: one of `link` and `check`.
struct Tracker {
  std::string name;
  std::string link;                       ///< an interface that must be up; empty: none
  std::optional<checkers::Spec> check{};  ///< must not be down
  std::uint8_t lower = 0;                 ///< priority penalty while it fails; 0: the node cannot be master

  auto operator<=>(const Tracker&) const = default;
};

/// A systemd unit that runs where its virtual router is master.
struct Resource {
  std::string unit;                              ///< with its suffix: "apache2.service"
  std::chrono::milliseconds start_limit{30000};  ///< for a start; 1 s..10 min
  std::chrono::milliseconds stop_limit{30000};   ///< for a stop; 1 s..10 min
  std::uint8_t restarts = 3;                     ///< attempts after a failure before the role is given up; 0..100

  auto operator<=>(const Resource&) const = default;
};

/// A route of a virtual router before a node has found itself in it.
struct VirtualRoute {
  vrrp::VirtualRoute route;                         ///< without its interface
  std::map<std::string, std::string> interfaces{};  ///< node name -> interface; none: the one that holds the addresses

  auto operator<=>(const VirtualRoute&) const = default;
};

/// A virtual router before a node has found itself in it.
struct VirtualRouter {
  std::string name;
  std::uint8_t router_id = 0;
  std::map<std::string, std::string> interfaces;  ///< node name -> interface; every node is there
  std::vector<vrrp::VirtualAddress> addresses;
  std::vector<VirtualRoute> routes{};
  bool virtual_mac = false;
  std::map<std::string, std::uint8_t> priorities{};  ///< node name -> priority, 1..255; of others, the node's own
  std::chrono::milliseconds advertise{1000};
  Preempt preempt{};
  std::chrono::milliseconds ready_within{10000};  ///< maximum wait for the services and the first check results
  bool unicast = false;
  std::optional<vrrp::Checksum> checksum{};  ///< none: as its peers send
  std::uint8_t version = 3;
  std::string password_file{};  ///< of version 2; empty: no password
  std::optional<Authentication> authentication{};
  std::vector<std::string> give_up_when{};  ///< names of services: while one is below its quorum
  std::vector<Tracker> trackers{};
  std::vector<Resource> resources{};  ///< in the order in which they are started

  /// Whether an address is one of its own.
  [[nodiscard]] bool has(const net::Address& address) const;

  auto operator<=>(const VirtualRouter&) const = default;
};

/// What a failed check does to a real server.
enum class OnFailure : std::uint8_t {
  drain,   ///< weight 0: its connections continue
  remove,  ///< out of the table: its connections end
};

struct Server {
  std::string name;
  net::Endpoint endpoint;
  std::uint32_t weight = 1;           ///< 0..65535
  std::uint32_t upper_threshold = 0;  ///< no new connections above so many open ones; 0 = no bound
  std::uint32_t lower_threshold = 0;  ///< and again below so many; 0 = three quarters of the upper
  bool fallback = false;  ///< a sorry server: takes the new connections while quorum is lost, and none otherwise

  auto operator<=>(const Server&) const = default;
};

/// How many servers a service must have in service; hysteresis keeps one server's flap from changing the quorum.
struct Quorum {
  std::uint32_t below = 1;   ///< lost when fewer are in service than this; 1..65535
  std::uint32_t regain = 0;  ///< regained when this many are: `below` or more; 0 only while the file is read

  auto operator<=>(const Quorum&) const = default;
};

struct Service {
  std::string name;
  ipvs::ServiceKey key;
  ipvs::Service spec;
  ipvs::Forward forward = ipvs::Forward::nat;
  ipvs::Tunnel tunnel{};                               ///< how a tunnel encapsulates
  std::vector<checkers::Spec> checks;                  ///< none = always up
  checkers::Combine combine = checkers::Combine::all;  ///< what of several checks must pass
  OnFailure on_failure = OnFailure::drain;
  std::vector<Server> servers;  ///< those that share the load, then the fallbacks
  Quorum quorum;
  std::uint8_t panic = 100;              ///< failed checks take away at most so many per cent of the weight; 0..100
  std::chrono::seconds slow_start{0};    ///< in which a server that comes up reaches its weight; 0 = at once
  std::chrono::seconds drain_time{300};  ///< for which a removed server may keep its connections

  auto operator<=>(const Service&) const = default;
};

/// The kernel's connection synchronisation daemons, both of which run on each node.
struct ConnectionSync {
  std::map<std::string, std::string> interfaces;  ///< node name -> interface; every node is there
  std::uint8_t id = 0;                            ///< syncid, 0..255

  auto operator<=>(const ConnectionSync&) const = default;
};

/// How directord itself behaves.
struct Director {
  enum class Ownership : std::uint8_t {
    named,      ///< only the services of the file, and those that an earlier file named, are touched
    exclusive,  ///< the whole table is the file's: other services are drained and removed
  };
  enum class OnStop : std::uint8_t {
    keep,   ///< the table stays: connections continue
    clear,  ///< directord's services are removed, and their connections with them
  };

  Ownership ownership = Ownership::named;
  OnStop on_stop = OnStop::keep;
  std::uint8_t reload_guard = 50;  ///< per cent of the servers or services that a reload may remove without --yes
  std::string operators{};         ///< the group that may query and control; empty: only directord's own user
  std::string readers{};           ///< the group that may query, on a socket of its own; empty: no group

  auto operator<=>(const Director&) const = default;
};

/// The marks (SO_MARK, and IPVS services of their own) that lead checks `via: vip` to one server each.
struct ProbeMarks {
  std::uint32_t first = 0x7d000000;
  std::uint32_t last = 0x7d00ffff;  ///< `first` or more

  [[nodiscard]] bool contains(std::uint32_t mark) const { return first <= mark && mark <= last; }

  auto operator<=>(const ProbeMarks&) const = default;
};

/// How the directors of the cluster speak with each other, beside advertisements.
struct Peers {
  std::string keys{};  ///< a file; empty: that of the first virtual router that signs, see peer_keys()
  std::uint16_t port = 8406;

  auto operator<=>(const Peers&) const = default;
};

struct Cluster {
  std::string name;
  Director director;
  std::vector<Node> nodes;
  std::vector<VirtualRouter> virtual_routers;
  std::vector<std::vector<std::string>> groups;  ///< names of virtual routers that fail over together; disjoint
  std::optional<ConnectionSync> connection_sync;
  Peers peers{};
  /// A new master accepts packets of connections that it does not know, and the hash chooses the server.
  bool stateless_takeover = false;
  ProbeMarks probe_marks;
  std::vector<Service> services;
  std::array<std::byte, 8> fingerprint{};  ///< of the files that this was read from, as fingerprint() says

  auto operator<=>(const Cluster&) const = default;
};

/// The node of that name; null when there is none.
[[nodiscard]] const Node* find_node(const Cluster& cluster, std::string_view name);

/// Which node of the cluster this host is: the one that was `asked` for with --node, or, when that is empty, the one
/// with the host's name (as a whole, then in any case, then to the first dot). A cluster without nodes has this host
/// alone. Errors: no such node; the message names those that there are.
[[nodiscard]] net::Result<Node> this_node(const Cluster& cluster, std::string_view asked, std::string_view host_name);

/// The file with the keys by which the directors speak with each other; empty: they do not.
[[nodiscard]] std::string peer_keys(const Cluster& cluster);

/// The virtual routers that have the role of one: those of its sync group, or itself alone.
[[nodiscard]] std::vector<std::string> sync_group_of(const Cluster& cluster, const std::string& router);

/// The router's priority on that node.
[[nodiscard]] std::uint8_t priority_of(const VirtualRouter& router, const Node& node);

/// What `router` is on `node`, which is one of the cluster's: its interface, priority and, for unicast, the other
/// nodes' addresses.
[[nodiscard]] vrrp::Spec spec_for(const Cluster& cluster, const VirtualRouter& router, const Node& node);

}  // namespace config
