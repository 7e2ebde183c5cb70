#include <algorithm>
#include <array>

#include "vrrp/advert.h"
#include "vrrp/wire.h"

// RFC 3768 section 5.1, for IPv4 alone: a fixed part of 8 bytes, the addresses, and 8 bytes of authentication data.
//
//   0       | 1    | 2        | 3     | 4         | 5        | 6..7
//   ver|type | VRID | Priority | count | Auth Type | Adver Int | Checksum
//
// The checksum is RFC 1071's over all of it. Auth Type is 0, or 1 for the simple text password of RFC 2338 section
// 5.3.6.1, which older peers still send.

namespace vrrp {

namespace {

constexpr std::size_t authentication_size = 8;
constexpr unsigned version = 2;
constexpr std::byte no_authentication{0};
constexpr std::byte simple_text_password{1};

std::array<std::byte, authentication_size> data_of(std::string_view password) {
  std::array<std::byte, authentication_size> data{};
  std::ranges::copy(std::as_bytes(std::span(password.substr(0, data.size()))), data.begin());
  return data;
}

}  // namespace

std::vector<std::byte> encode_v2(const Advert& advert, std::string_view password) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(advert.max_advertise_interval).count();
  std::vector<std::byte> bytes = {
      std::byte{version << 4 | wire::type_advertisement},
      std::byte{advert.router_id},
      std::byte{advert.priority},
      static_cast<std::byte>(advert.addresses.size()),
      password.empty() ? no_authentication : simple_text_password,
      static_cast<std::byte>(seconds),
  };
  bytes.resize(wire::fixed_size);
  for (const net::Address& address : advert.addresses) std::ranges::copy(address.bytes(), std::back_inserter(bytes));
  std::ranges::copy(data_of(password), std::back_inserter(bytes));
  wire::put_big_endian16(std::span(bytes).subspan(wire::checksum_offset), ~wire::fold(wire::sum(bytes)));
  return bytes;
}

std::expected<Advert, RejectReason> decode_v2(std::span<const std::byte> bytes, std::string_view password) {
  if (bytes.size() < wire::fixed_size) return std::unexpected(RejectReason::truncated);
  const auto first = std::to_integer<unsigned>(bytes[0]);
  if (first >> 4 != version) return std::unexpected(RejectReason::version);
  if ((first & 0x0f) != wire::type_advertisement) return std::unexpected(RejectReason::type);
  constexpr std::size_t address_size = 4;
  const auto count = std::to_integer<std::size_t>(bytes[3]);
  if (bytes.size() != wire::fixed_size + count * address_size + authentication_size) {
    return std::unexpected(RejectReason::length);
  }
  if (wire::fold(wire::sum(bytes)) != 0xffff) return std::unexpected(RejectReason::checksum);
  const bool agreed = bytes[4] == (password.empty() ? no_authentication : simple_text_password);
  if (!agreed || (!password.empty() && !std::ranges::equal(bytes.last(authentication_size), data_of(password)))) {
    return std::unexpected(RejectReason::password);
  }
  Advert advert{.router_id = std::to_integer<std::uint8_t>(bytes[1]),
                .priority = std::to_integer<std::uint8_t>(bytes[2]),
                .max_advertise_interval = std::chrono::seconds(std::to_integer<int>(bytes[5])),
                .addresses = {}};
  if (advert.router_id == 0) return std::unexpected(RejectReason::router_id);
  if (advert.max_advertise_interval == std::chrono::seconds::zero()) return std::unexpected(RejectReason::interval);
  if (count == 0) return std::unexpected(RejectReason::no_address);
  wire::read_addresses(bytes.subspan(wire::fixed_size, count * address_size), address_size, advert.addresses);
  return advert;
}

}  // namespace vrrp
