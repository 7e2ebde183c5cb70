#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/check.h"
#include "net/scope.h"

/// What the cluster file says about a virtual router, seen from one node (RFC 9568 section 5.2, 6.1).
namespace vrrp {

/// Adverts go to each peer's own address instead of the multicast group.
struct Unicast {
  net::Address source;              ///< this node's
  std::vector<net::Address> peers;  ///< the other nodes'; adverts from anyone else are refused

  auto operator<=>(const Unicast&) const = default;
};

/// What an IPv4 advert's checksum covers. Both are accepted; IPv6 knows no such choice.
enum class Checksum : std::uint8_t {
  rfc9568,  ///< the message alone
  rfc5798,  ///< a pseudo-header before it too, as keepalived and FRR read that RFC
};

/// A secret that both ends know, by its number.
struct Key {
  std::uint8_t id = 0;
  std::string secret;

  auto operator<=>(const Key&) const = default;
};

/// What is done about adverts without a signature, so that a cluster can begin to sign one node after the other.
enum class SigningMode : std::uint8_t {
  enforce,       ///< signs, and accepts what is signed
  permissive,    ///< signs, and accepts what is signed or has no signature
  receive_only,  ///< does not sign yet, and accepts what permissive accepts
};

struct Signing {
  SigningMode mode = SigningMode::enforce;
  std::vector<Key> keys;  ///< the first signs

  auto operator<=>(const Signing&) const = default;
};

/// A virtual address as it is set on the interface.
struct VirtualAddress {
  VirtualAddress() = default;
  /// Most have nothing more.
  VirtualAddress(const net::Prefix& address_and_length) : prefix(address_and_length) {}

  net::Prefix prefix;
  std::string label{};                ///< of IPv4: what comes after "eth0:" in the address's label; empty: no label
  std::optional<net::Scope> scope{};  ///< of IPv4; none: link for 169.254.0.0/16, else global

  auto operator<=>(const VirtualAddress&) const = default;
};

/// How many addresses a virtual router can have: as many as an advert counts (RFC 9568 section 5.2.5), and as it
/// carries in a packet of 1,500 bytes, with or without its signature.
[[nodiscard]] constexpr std::size_t most_addresses(net::Family family, bool is_signed) {
  constexpr std::size_t packet = 1500, fixed_part = 8, trailer = 48, most_counted = 255;
  const bool v6 = family == net::Family::ipv6;
  const std::size_t ip_header = v6 ? 40 : 20, each = v6 ? 16 : 4;
  return std::min(most_counted, (packet - ip_header - fixed_part - (is_signed ? trailer : 0)) / each);
}

/// A route that is where the virtual addresses are.
struct VirtualRoute {
  net::Prefix to;                     ///< 0.0.0.0/0 or ::/0: the default route
  std::optional<net::Address> via{};  ///< none: what it leads to is on the link
  std::string interface{};            ///< empty: the one that holds the virtual addresses
  std::optional<net::Address> source{};
  std::uint32_t table = 254;          ///< 254: main
  std::uint32_t metric = 0;           ///< of IPv6, 0 is the kernel's 1024
  std::optional<net::Scope> scope{};  ///< of IPv4; none: global with `via`, else link

  auto operator<=>(const VirtualRoute&) const = default;
};

/// As `ip route` writes it: "default via 192.0.2.1 dev eth0 src 192.0.2.10 table 100".
[[nodiscard]] std::string to_string(const VirtualRoute& route);

/// The interface that holds a virtual router's addresses where it has an Ethernet address of its own: "vrrp4.51".
[[nodiscard]] inline std::string virtual_interface(net::Family family, std::uint8_t router_id) {
  return (family == net::Family::ipv4 ? "vrrp4." : "vrrp6.") + std::to_string(router_id);
}

/// A virtual router's that owns its addresses (RFC 9568 section 1.7): it has them whatever its role.
inline constexpr std::uint8_t owner_priority = 255;

struct Spec {
  std::string name;
  std::uint8_t router_id = 0;                   ///< VRID, 1..255
  std::string interface;                        ///< where it sends adverts
  std::vector<VirtualAddress> addresses;        ///< 1 or more, one family
  std::uint8_t priority = 100;                  ///< 1..254, or owner_priority
  std::chrono::milliseconds advertise{1000};    ///< Advertisement_Interval, 10 ms..40.95 s, in steps of 10 ms
  bool preempt = true;                          ///< Preempt_Mode
  std::chrono::milliseconds preempt_delay{};    ///< for how long after its start it preempts nobody
  std::vector<std::uint8_t> peer_priorities{};  ///< the other nodes' in the cluster file; none: who they are is unknown
  std::vector<net::Address> peer_addresses{};   ///< the same nodes' own addresses, which need not be on this link
  std::optional<Unicast> unicast{};
  std::optional<Checksum> checksum{};  ///< sent; none: rfc5798, until another form is heard from a peer
  std::uint8_t version = 3;            ///< or 2, for IPv4 and intervals of whole seconds
  std::string password{};              ///< of version 2: a simple text password; empty: none
  std::optional<Signing> signing{};    ///< of version 3
  std::vector<VirtualRoute> routes{};  ///< of the addresses' family
  bool virtual_mac = false;            ///< its addresses have an Ethernet address of its own, and move with it

  /// The interface that holds the virtual addresses.
  [[nodiscard]] std::string address_interface() const {
    return virtual_mac ? virtual_interface(family(), router_id) : interface;
  }

  [[nodiscard]] bool owns_addresses() const { return priority == owner_priority; }

  [[nodiscard]] net::Family family() const {
    net::check(!addresses.empty(), "a virtual router has an address");
    return addresses.front().prefix.address.family();
  }

  auto operator<=>(const Spec&) const = default;
};

}  // namespace vrrp
