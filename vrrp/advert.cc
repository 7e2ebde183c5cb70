#include "vrrp/advert.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "vrrp/wire.h"

// RFC 9568 section 5.1: a fixed part of 8 bytes, then the addresses, 4 or 16 bytes each.
//
//   0       | 1    | 2        | 3     | 4..5                            | 6..7
//   ver|type | VRID | Priority | count | 0000|Max Advertise Interval(12) | Checksum
//
// Section 5.2.8: the checksum is RFC 1071's over the message, for IPv6 with the pseudo-header of RFC 8200 section 8.1
// before it. RFC 5798 could be read to want a pseudo-header before IPv4 too, and many peers sum it so.

namespace vrrp {

namespace {

using wire::Bytes;
using wire::fold;
using wire::sum;
using Centiseconds = std::chrono::duration<std::uint32_t, std::centi>;

constexpr unsigned version = 3;
constexpr std::uint32_t interval_mask = 0x0fff;

std::uint32_t pseudo_header_sum(const Path& path, std::size_t length) {
  return sum(path.source.bytes()) + sum(path.destination.bytes()) + static_cast<std::uint32_t>(length) + ipproto_vrrp;
}

}  // namespace

bool follows(Bytes bytes, const Path& path, Checksum checksum) {
  const bool pseudo_header = path.source.is_v6() || checksum == Checksum::rfc5798;
  return fold(sum(bytes) + (pseudo_header ? pseudo_header_sum(path, bytes.size()) : 0)) == 0xffff;
}

std::string_view to_string(RejectReason reason) {
  static constexpr std::array<std::string_view, reject_reason_count> names = {
      "truncated",  "version",   "type",   "length",       "checksum", "interval",
      "no_address", "router_id", "ttl",    "destination",  "source",   "owner",
      "not_signed", "signature", "replay", "address_list", "password", "vrid_conflict"};
  return names[std::to_underlying(reason)];
}

std::string_view describe(RejectReason reason) {
  static constexpr std::array<std::string_view, reject_reason_count> words = {
      "it is too short",
      "it is of another VRRP version",
      "it is of an unknown VRRP packet type",
      "its length does not match its address count",
      "its checksum is wrong",
      "its advertisement interval is zero, or in version 2 not the interval of this node",
      "it lists no addresses",
      "no virtual router of this node has its router_id",
      "its TTL is below 255: a router forwarded it",
      "it was sent by unicast where this node uses multicast, or by multicast where this node uses unicast",
      "its sender is not a configured peer, or has the address of this node",
      "this node owns the addresses (priority 255)",
      "it is not signed",
      "it is signed with another key",
      "it may be a replay: its sender answers no hello, or runs version 0.1.0 with another time of day",
      "it lists other addresses than this node",
      "its password is missing or differs",
      "it is of another virtual router with this router_id: it lists none of the addresses of this one",
  };
  return words[std::to_underlying(reason)];
}

std::vector<std::byte> encode(const Advert& advert, const Path& path, Checksum checksum) {
  const auto interval = std::chrono::duration_cast<Centiseconds>(advert.max_advertise_interval).count();
  std::vector<std::byte> bytes = {
      std::byte{version << 4 | wire::type_advertisement},
      std::byte{advert.router_id},
      std::byte{advert.priority},
      static_cast<std::byte>(advert.addresses.size()),
  };
  bytes.resize(wire::fixed_size);
  wire::put_big_endian16(std::span(bytes).subspan(4), interval & interval_mask);
  for (const net::Address& address : advert.addresses) std::ranges::copy(address.bytes(), std::back_inserter(bytes));

  const bool pseudo_header = path.source.is_v6() || checksum == Checksum::rfc5798;
  const std::uint32_t total = sum(bytes) + (pseudo_header ? pseudo_header_sum(path, bytes.size()) : 0);
  wire::put_big_endian16(std::span(bytes).subspan(wire::checksum_offset), ~fold(total));
  return bytes;
}

std::expected<Advert, RejectReason> decode(Bytes bytes, const Path& path) {
  if (bytes.size() < wire::fixed_size) return std::unexpected(RejectReason::truncated);
  const auto first = std::to_integer<unsigned>(bytes[0]);
  if (first >> 4 != version) return std::unexpected(RejectReason::version);
  if ((first & 0x0f) != wire::type_advertisement) return std::unexpected(RejectReason::type);

  const std::size_t address_size = path.source.bytes().size();
  const auto count = std::to_integer<std::size_t>(bytes[3]);
  if (bytes.size() != wire::fixed_size + count * address_size) return std::unexpected(RejectReason::length);
  if (!follows(bytes, path, Checksum::rfc9568) && !follows(bytes, path, Checksum::rfc5798))
    return std::unexpected(RejectReason::checksum);

  Advert advert{
      .router_id = std::to_integer<std::uint8_t>(bytes[1]),
      .priority = std::to_integer<std::uint8_t>(bytes[2]),
      .max_advertise_interval = Centiseconds(wire::big_endian16(bytes[4], bytes[5]) & interval_mask),
      .addresses = {},
  };
  if (advert.router_id == 0) return std::unexpected(RejectReason::router_id);
  if (advert.max_advertise_interval == Centiseconds::zero()) return std::unexpected(RejectReason::interval);
  if (count == 0) return std::unexpected(RejectReason::no_address);
  wire::read_addresses(bytes.subspan(wire::fixed_size), address_size, advert.addresses);
  return advert;
}

}  // namespace vrrp
