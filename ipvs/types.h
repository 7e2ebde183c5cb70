#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "net/address.h"
#include "net/endpoint.h"

/// The values of the kernel's IPVS table, as plain data (linux/ip_vs.h names them on the wire). Nothing here does I/O.
namespace ipvs {

enum class Protocol : std::uint8_t {
  none = 0,  ///< of a service that is named by its firewall mark
  tcp = 6,
  udp = 17,
  sctp = 132,
};

/// How a packet reaches its destination (IP_VS_CONN_F_FWD_MASK).
enum class Forward : std::uint8_t {
  nat = 0,     ///< masquerading: addresses rewritten both ways
  local = 1,   ///< the destination is this host; only the kernel says so
  tunnel = 2,  ///< encapsulated (Tunnel says how)
  route = 3,   ///< direct routing (DR): only the link-layer address changes
  bypass = 4,  ///< past the table; only the kernel says so
};

/// What names a service: protocol and endpoint, or a family and a firewall mark.
struct ServiceKey {
  Protocol protocol = Protocol::tcp;  ///< Protocol::none for a mark
  net::Endpoint endpoint{};           ///< for a mark: the zero endpoint of the family
  std::uint32_t fwmark = 0;           ///< 1..2^32-1 for a mark, else 0

  [[nodiscard]] net::Family family() const { return endpoint.address.family(); }
  auto operator<=>(const ServiceKey&) const = default;
};

/// Service flags that the administrator may set (IP_VS_SVC_F_*).
namespace flag {
inline constexpr std::uint32_t persistent = 0x0001;  ///< set whenever Service::persistence is not zero
inline constexpr std::uint32_t hashed = 0x0002;      ///< the kernel's own; never sent, never compared
inline constexpr std::uint32_t one_packet = 0x0004;  ///< UDP only: every datagram is scheduled afresh
inline constexpr std::uint32_t sched1 = 0x0008;      ///< sh-fallback, mh-fallback
inline constexpr std::uint32_t sched2 = 0x0010;      ///< sh-port, mh-port
inline constexpr std::uint32_t sched3 = 0x0020;
}  // namespace flag

/// A virtual service, without its destinations and counters.
struct Service {
  std::string scheduler = "wlc";  ///< any name the kernel knows: rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh twos
  std::uint32_t flags = 0;        ///< flag::one_packet and flag::sched*; flag::persistent follows `persistence`
  std::chrono::seconds persistence{0};  ///< 0 = none
  std::uint8_t mask_length = 0;  ///< which clients persist together: prefix length 1..32 or 1..128; 0 = the whole
                                 ///< address, and the only value without persistence
  std::optional<std::uint32_t> raw_mask{};  ///< IPv4, in the host's order: a mask that no prefix length of 1..32 says
                                            ///< (255.0.255.0, 0.0.0.0); `mask_length` is 0 then
  std::string persistence_engine{};         ///< "sip", or "" for none

  auto operator<=>(const Service&) const = default;
};

struct DestinationKey {
  net::Endpoint endpoint{};  ///< its family may differ from the service's only with Forward::tunnel

  auto operator<=>(const DestinationKey&) const = default;
};

/// Encapsulation of Forward::tunnel (IP_VS_CONN_F_TUNNEL_TYPE_*). Equal for all other forwards.
struct Tunnel {
  enum class Type : std::uint8_t { ipip = 0, gue = 1, gre = 2 };
  Type type = Type::ipip;
  std::uint16_t port = 0;   ///< gue: the UDP port, 1..65535; else 0
  std::uint16_t flags = 0;  ///< gue and gre: IP_VS_TUNNEL_ENCAP_FLAG_*: 0 no checksum, 1 checksum, 2 remote checksum

  auto operator<=>(const Tunnel&) const = default;
};

/// A real server of one service, without its counters.
struct Destination {
  Forward forward = Forward::nat;
  std::uint32_t weight = 1;           ///< 0..2^31-1 in the kernel, 0..65535 in cluster files; 0 = no new connections
  std::uint32_t upper_threshold = 0;  ///< 0 = none
  std::uint32_t lower_threshold = 0;  ///< 0 = none
  Tunnel tunnel{};

  auto operator<=>(const Destination&) const = default;
};

struct ServiceEntry {
  Service service{};
  std::map<DestinationKey, Destination> destinations{};

  auto operator<=>(const ServiceEntry&) const = default;
};

/// What the kernel holds, or should hold. The form that plan makes and diff compares.
using Table = std::map<ServiceKey, ServiceEntry>;

/// Counters and rates of a service or a destination (IPVS_STATS_ATTR_*, 64 bits wide).
struct Stats {
  std::uint64_t connections = 0, packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
  /// Per second, as the kernel's 2 s estimator sees it.
  std::uint64_t connection_rate = 0, packet_rate_in = 0, packet_rate_out = 0, byte_rate_in = 0, byte_rate_out = 0;

  auto operator<=>(const Stats&) const = default;
};

struct DestinationStatus {
  Destination destination{};
  std::uint32_t active = 0;      ///< connections in ESTABLISHED, the scheduler's view
  std::uint32_t inactive = 0;    ///< all others
  std::uint32_t persistent = 0;  ///< persistence templates
  Stats stats{};
};

struct ServiceStatus {
  Service service{};
  Stats stats{};
  std::map<DestinationKey, DestinationStatus> destinations{};
};

/// The table with its counters, as a dump returns it.
using Snapshot = std::map<ServiceKey, ServiceStatus>;

/// A service as the kernel lists it, in its own order and without its destinations.
struct ServiceRow {
  ServiceKey key{};
  Service service{};
  Stats stats{};
};

/// A destination as the kernel lists it, in its own order.
struct DestinationRow {
  DestinationKey key{};
  DestinationStatus status{};
};

/// A connection synchronisation daemon (IPVS_DAEMON_ATTR_*). Each namespace has at most one of each state.
struct Daemon {
  enum class State : std::uint8_t { master = 1, backup = 2 };
  State state = State::master;
  std::string interface{};              ///< of the multicast group, at most 15 bytes
  std::uint8_t sync_id = 0;             ///< a backup takes only its master's id; 0 takes all
  std::uint16_t max_length = 0;         ///< UDP payload; 0 = what the interface's MTU allows
  std::optional<net::Address> group{};  ///< none = 224.0.0.81
  std::uint16_t port = 0;               ///< 0 = 8848
  std::uint8_t ttl = 0;                 ///< 0 = 1

  auto operator<=>(const Daemon&) const = default;
};

/// How long idle connections are kept. When they are set, 0 leaves one as it is.
struct Timeouts {
  std::chrono::seconds tcp{0}, tcp_fin{0}, udp{0};

  auto operator<=>(const Timeouts&) const = default;
};

struct Info {
  std::uint32_t version = 0;                ///< 0x010201 is 1.2.1
  std::uint32_t connection_table_size = 0;  ///< buckets

  auto operator<=>(const Info&) const = default;
};

/// Sets the mask of a service for IPv4, given in the host's order: mask_length where a prefix length says it, else
/// raw_mask.
void set_ipv4_mask(Service& service, std::uint32_t mask);

/// The mask of a service for IPv4, in the host's order.
[[nodiscard]] std::uint32_t ipv4_mask(const Service& service);

/// The table that a snapshot was taken of.
[[nodiscard]] Table table_of(const Snapshot& snapshot);

/// As cluster files say it: "nat", "dr", "tunnel"; or the kernel's own "local", "bypass".
[[nodiscard]] std::string_view to_string(Forward forward);

/// "tcp", "udp", "sctp", "fwmark".
[[nodiscard]] std::string_view to_string(Protocol protocol);

/// "tcp 192.0.2.1:80", "udp [2001:db8::1]:53", "fwmark 5" or "fwmark 5 (ipv6)".
[[nodiscard]] std::string to_string(const ServiceKey& key);
[[nodiscard]] std::string to_string(const DestinationKey& key);

}  // namespace ipvs
