#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "net/address.h"

/// What the packets of both versions, and ours, have in common on the wire.
namespace vrrp::wire {

using Bytes = std::span<const std::byte>;

inline constexpr std::size_t fixed_size = 8;
inline constexpr std::size_t checksum_offset = 6;
inline constexpr unsigned type_advertisement = 1;

/// The VRID, which stands at the same place in all of them; nothing in what is too short to have one.
constexpr std::optional<std::uint8_t> router_id(Bytes packet) {
  return packet.size() > 1 ? std::optional(std::to_integer<std::uint8_t>(packet[1])) : std::nullopt;
}

constexpr std::uint32_t big_endian16(std::byte high, std::byte low) {
  return std::to_integer<std::uint32_t>(high) << 8 | std::to_integer<std::uint32_t>(low);
}

constexpr void put_big_endian16(std::span<std::byte> at, std::uint32_t value) {
  at[0] = static_cast<std::byte>(value >> 8 & 0xff);
  at[1] = static_cast<std::byte>(value & 0xff);
}

inline void append_big_endian64(std::vector<std::byte>& packet, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) packet.push_back(static_cast<std::byte>(value >> shift & 0xff));
}

/// Of the first 8 bytes, which must be there.
constexpr std::uint64_t big_endian64(Bytes bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes.first(8)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

/// RFC 1071's sum before it is folded. All we sum has even length.
constexpr std::uint32_t sum(Bytes bytes) {
  std::uint32_t total = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) total += big_endian16(bytes[i], bytes[i + 1]);
  return total;
}

constexpr std::uint32_t fold(std::uint32_t total) {
  while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  return total;
}

/// Appends the addresses, `size` bytes each, that `bytes` is made of.
inline void read_addresses(Bytes bytes, std::size_t size, std::vector<net::Address>& addresses) {
  addresses.reserve(bytes.size() / size);
  for (; !bytes.empty(); bytes = bytes.subspan(size)) {
    addresses.push_back(net::Address::from_bytes(bytes.first(size)).value_or(net::Address{}));
  }
}

}  // namespace vrrp::wire
