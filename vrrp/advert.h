#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "vrrp/spec.h"

namespace vrrp {

inline constexpr int ipproto_vrrp = 112;
inline constexpr std::uint8_t required_ttl = 255;  ///< of IPv4's TTL and IPv6's hop limit, sent and received

/// An ADVERTISEMENT (RFC 9568 section 5).
struct Advert {
  std::uint8_t router_id = 0;                              ///< VRID, 1..255
  std::uint8_t priority = 0;                               ///< 0: the sender gives up being master
  std::chrono::milliseconds max_advertise_interval{1000};  ///< 10 ms..40.95 s, in steps of 10 ms
  std::vector<net::Address> addresses;                     ///< 1..255, of the family the advert travels by

  bool operator==(const Advert&) const = default;
};

/// The ends of the IP packet that carries an advert; IPv6's checksum covers them.
struct Path {
  net::Address source;
  net::Address destination;
};

/// Why something received is not an advert for us. Each is counted apart.
enum class RejectReason : std::uint8_t {
  truncated,      ///< shorter than its fixed fields
  version,        ///< not the one that is configured
  type,           ///< not ADVERTISEMENT
  length,         ///< does not end where its address count says
  checksum,       ///< wrong by every rule known for its family
  interval,       ///< Max Advertise Interval is zero; of version 2, not ours
  no_address,     ///< an empty address list
  router_id,      ///< a VRID that no router of this node has on the link
  ttl,            ///< TTL or hop limit below 255: a router forwarded it
  destination,    ///< to this node where adverts are multicast, or to the group where they are unicast
  source,         ///< unicast from someone who is not a peer, or from this node's own address
  owner,          ///< this node owns the addresses (priority 255) and yields to nobody
  not_signed,     ///< without a trailer, where one is demanded
  signature,      ///< with a trailer by a key that is not ours, or for something else
  replay,         ///< signed, but its sender has not shown that it is not an old one
  address_list,   ///< lists other virtual addresses than ours; noted, but accepted, as section 7.1 allows
  password,       ///< of version 2, with another authentication than ours
  vrid_conflict,  ///< of another virtual router on the link that has our VRID: it lists none of our addresses
};
inline constexpr std::size_t reject_reason_count = 18;

/// The name in statistics: "truncated", "router_id", ...
[[nodiscard]] std::string_view to_string(RejectReason reason);

/// Why, for people: "its checksum is wrong".
[[nodiscard]] std::string_view describe(RejectReason reason);

/// The advert as it goes into an IP packet along `path`.
[[nodiscard]] std::vector<std::byte> encode(const Advert& advert, const Path& path, Checksum checksum);

/// Reads what an IP packet along `path` carried: hostile bytes. Checks everything section 7.1 asks for that needs
/// nothing but the bytes; TTL, VRID and source are the receiver's to check. The checksum may follow either RFC.
[[nodiscard]] std::expected<Advert, RejectReason> decode(std::span<const std::byte> bytes, const Path& path);

/// Whether the checksum of an IPv4 advert that decode() accepts follows that rule. By chance it may follow both.
[[nodiscard]] bool follows(std::span<const std::byte> bytes, const Path& path, Checksum checksum);

/// encode() and decode() for version 2 (RFC 3768), whose interval is in whole seconds, with a simple text password of
/// at most 8 bytes if that is not empty. An interval other than the receiver's is the receiver's to refuse.
[[nodiscard]] std::vector<std::byte> encode_v2(const Advert& advert, std::string_view password);
[[nodiscard]] std::expected<Advert, RejectReason> decode_v2(std::span<const std::byte> bytes,
                                                            std::string_view password);

}  // namespace vrrp
