#include "vrrp/advert.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

// RFC 9568 section 5.1: a fixed part of 8 bytes, then the addresses, 4 or 16 bytes each.
//
//   0       | 1    | 2        | 3     | 4..5                            | 6..7
//   ver|type | VRID | Priority | count | 0000|Max Advertise Interval(12) | Checksum
//
// Section 5.2.8: the checksum is RFC 1071's over the message, for IPv6 with the pseudo-header of RFC 8200 section 8.1
// before it. RFC 5798 could be read to want a pseudo-header before IPv4 too, and many peers sum it so.

namespace vrrp {

namespace {

using Bytes = std::span<const std::byte>;
using Centiseconds = std::chrono::duration<std::uint32_t, std::centi>;

constexpr std::size_t fixed_size = 8;
constexpr std::size_t checksum_offset = 6;
constexpr unsigned version = 3;
constexpr unsigned type_advertisement = 1;
constexpr std::uint32_t interval_mask = 0x0fff;

constexpr std::uint32_t big_endian16(std::byte high, std::byte low) {
  return std::to_integer<std::uint32_t>(high) << 8 | std::to_integer<std::uint32_t>(low);
}

constexpr void put_big_endian16(std::span<std::byte> at, std::uint32_t value) {
  at[0] = static_cast<std::byte>(value >> 8 & 0xff);
  at[1] = static_cast<std::byte>(value & 0xff);
}

/// RFC 1071's sum before it is folded. All we sum has even length.
std::uint32_t sum(Bytes bytes) {
  std::uint32_t total = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) total += big_endian16(bytes[i], bytes[i + 1]);
  return total;
}

std::uint32_t pseudo_header_sum(const Path& path, std::size_t length) {
  return sum(path.source.bytes()) + sum(path.destination.bytes()) + static_cast<std::uint32_t>(length) + ipproto_vrrp;
}

constexpr std::uint32_t fold(std::uint32_t total) {
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
}

bool checksum_holds(Bytes bytes, const Path& path) {
  const std::uint32_t message = sum(bytes);
  const bool with_pseudo_header = fold(message + pseudo_header_sum(path, bytes.size())) == 0xffff;
  return with_pseudo_header || (path.source.is_v4() && fold(message) == 0xffff);
}

}  // namespace

std::string_view to_string(Refusal refusal) {
  static constexpr std::array<std::string_view, refusal_count> names = {
      "truncated",  "version",   "type", "length",      "checksum", "interval",
      "no_address", "router_id", "ttl",  "destination", "source",   "owner"};
  return names[std::to_underlying(refusal)];
}

std::vector<std::byte> encode(const Advert& advert, const Path& path, Checksum checksum) {
  const auto interval = std::chrono::duration_cast<Centiseconds>(advert.max_advertise_interval).count();
  std::vector<std::byte> bytes = {
      std::byte{version << 4 | type_advertisement},
      std::byte{advert.router_id},
      std::byte{advert.priority},
      static_cast<std::byte>(advert.addresses.size()),
  };
  bytes.resize(fixed_size);
  put_big_endian16(std::span(bytes).subspan(4), interval & interval_mask);
  for (const net::Address& address : advert.addresses) std::ranges::copy(address.bytes(), std::back_inserter(bytes));

  const bool pseudo_header = path.source.is_v6() || checksum == Checksum::rfc5798;
  const std::uint32_t total = sum(bytes) + (pseudo_header ? pseudo_header_sum(path, bytes.size()) : 0);
  put_big_endian16(std::span(bytes).subspan(checksum_offset), ~fold(total));
  return bytes;
}

std::expected<Advert, Refusal> decode(Bytes bytes, const Path& path) {
  if (bytes.size() < fixed_size) return std::unexpected(Refusal::truncated);
  const auto first = std::to_integer<unsigned>(bytes[0]);
  if (first >> 4 != version) return std::unexpected(Refusal::version);
  if ((first & 0x0f) != type_advertisement) return std::unexpected(Refusal::type);

  const std::size_t address_size = path.source.bytes().size();
  const auto count = std::to_integer<std::size_t>(bytes[3]);
  if (bytes.size() != fixed_size + count * address_size) return std::unexpected(Refusal::length);
  if (!checksum_holds(bytes, path)) return std::unexpected(Refusal::checksum);

  Advert advert{
      .router_id = std::to_integer<std::uint8_t>(bytes[1]),
      .priority = std::to_integer<std::uint8_t>(bytes[2]),
      .max_advertise_interval = Centiseconds(big_endian16(bytes[4], bytes[5]) & interval_mask),
      .addresses = {},
  };
  if (advert.router_id == 0) return std::unexpected(Refusal::router_id);
  if (advert.max_advertise_interval == Centiseconds::zero()) return std::unexpected(Refusal::interval);
  if (count == 0) return std::unexpected(Refusal::no_address);
  advert.addresses.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    advert.addresses.push_back(
        net::Address::from_bytes(bytes.subspan(fixed_size + i * address_size, address_size)).value_or(net::Address{}));
  }
  return advert;
}

}  // namespace vrrp
