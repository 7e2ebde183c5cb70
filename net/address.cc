#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace net {

std::optional<Address> Address::from_bytes(std::span<const std::byte> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  Address address;
  address.family_ = bytes.size() == 4 ? Family::ipv4 : Family::ipv6;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

std::optional<Address> Address::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof buffer) return std::nullopt;
  std::ranges::copy(text, buffer);
  buffer[text.size()] = '\0';
  // inet_pton would stop at an embedded NUL and accept what stands before it.
  if (std::strlen(buffer) != text.size()) return std::nullopt;

  Address address;
  if (inet_pton(AF_INET, buffer, address.bytes_.data()) == 1) return address;
  address.family_ = Family::ipv6;
  if (inet_pton(AF_INET6, buffer, address.bytes_.data()) == 1) return address;
  return std::nullopt;
}

Address Address::any(Family family) {
  Address address;
  address.family_ = family;
  return address;
}

std::span<const std::byte> Address::bytes() const { return std::span(bytes_).first(bits() / 8); }

int Address::af() const { return is_v4() ? AF_INET : AF_INET6; }

bool Address::is_any() const {
  return std::ranges::all_of(bytes(), [](std::byte b) { return b == std::byte{0}; });
}

bool Address::is_multicast() const {
  return is_v4() ? (bytes_[0] & std::byte{0xf0}) == std::byte{0xe0} : bytes_[0] == std::byte{0xff};
}

bool Address::is_link_local() const {
  if (is_v4()) return bytes_[0] == std::byte{169} && bytes_[1] == std::byte{254};
  return bytes_[0] == std::byte{0xfe} && (bytes_[1] & std::byte{0xc0}) == std::byte{0x80};
}

bool Address::is_loopback() const {
  if (is_v4()) return bytes_[0] == std::byte{127};
  return bytes_.back() == std::byte{1} &&
         std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::byte b) { return b == std::byte{0}; });
}

std::string to_string(const Address& address) {
  if (address.is_v4()) {
    const auto part = [&](std::size_t i) { return std::to_integer<unsigned>(address.bytes()[i]); };
    return fmt::format(FMT_COMPILE("{}.{}.{}.{}"), part(0), part(1), part(2), part(3));
  }
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(address.af(), address.bytes().data(), buffer, sizeof buffer);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Prefix prefix{.address = *address, .length = static_cast<std::uint8_t>(address->bits())};
  if (slash == std::string_view::npos) return prefix;

  const auto digits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix.length);
  if (error != std::errc{} || end != digits.data() + digits.size() || prefix.length > address->bits()) {
    return std::nullopt;
  }
  return prefix;
}

bool Prefix::contains(const Address& other) const {
  if (other.family() != address.family()) return false;
  const auto ours = address.bytes();
  const auto theirs = other.bytes();
  const std::size_t whole = length / 8;
  if (!std::ranges::equal(ours.first(whole), theirs.first(whole))) return false;
  const unsigned rest = length % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::byte>(0xff00U >> rest);
  return (ours[whole] & mask) == (theirs[whole] & mask);
}

Prefix Prefix::network() const {
  std::array<std::byte, 16> bytes{};
  std::ranges::copy(address.bytes(), bytes.begin());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t kept = std::clamp<std::size_t>(length, i * 8, i * 8 + 8) - i * 8;
    bytes[i] &= static_cast<std::byte>(0xff00U >> kept);
  }
  const auto size = address.bytes().size();
  return {.address = Address::from_bytes(std::span(bytes).first(size)).value_or(Address{}), .length = length};
}

std::string to_string(const Prefix& prefix) { return fmt::format("{}/{}", to_string(prefix.address), prefix.length); }

}  // namespace net
