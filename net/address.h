#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace net {

enum class Family : std::uint8_t { ipv4, ipv6 };

/// An IPv4 or IPv6 address, ordered by family, then by its bytes in network order. The default value is 0.0.0.0.
class Address {
 public:
  constexpr Address() = default;

  /// From bytes in network order: 4 of them for IPv4, 16 for IPv6; nothing for any other count.
  static std::optional<Address> from_bytes(std::span<const std::byte> bytes);

  /// Numeric text only ("192.0.2.1", "2001:db8::1"), never a name; no zone, no brackets.
  static std::optional<Address> parse(std::string_view text);

  /// The all-zero address of a family.
  static Address any(Family family);

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr bool is_v4() const { return family_ == Family::ipv4; }
  [[nodiscard]] constexpr bool is_v6() const { return family_ == Family::ipv6; }

  /// Network order, 4 or 16 bytes; lives as long as the address.
  [[nodiscard]] std::span<const std::byte> bytes() const;

  /// AF_INET or AF_INET6.
  [[nodiscard]] int af() const;

  /// How many bits an address of this family has: 32 or 128.
  [[nodiscard]] unsigned bits() const { return is_v4() ? 32 : 128; }

  [[nodiscard]] bool is_any() const;
  [[nodiscard]] bool is_multicast() const;
  [[nodiscard]] bool is_link_local() const;  ///< 169.254.0.0/16 or fe80::/10
  [[nodiscard]] bool is_loopback() const;    ///< 127.0.0.0/8 or ::1

  auto operator<=>(const Address&) const = default;

 private:
  Family family_ = Family::ipv4;
  std::array<std::byte, 16> bytes_{};
};

[[nodiscard]] std::string to_string(const Address& address);

/// An address on a network: "192.168.56.10/24". The address keeps its host bits.
struct Prefix {
  Address address;
  std::uint8_t length = 32;  ///< 0..32 for IPv4, 0..128 for IPv6

  /// "ADDRESS/LENGTH"; without "/LENGTH" the whole address (/32, /128).
  static std::optional<Prefix> parse(std::string_view text);

  /// Whether `other` lies in this network; false across families.
  [[nodiscard]] bool contains(const Address& other) const;

  /// The network that the address is on: its host bits are 0.
  [[nodiscard]] Prefix network() const;

  auto operator<=>(const Prefix&) const = default;
};

[[nodiscard]] std::string to_string(const Prefix& prefix);

}  // namespace net
