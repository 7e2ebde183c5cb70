#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/address.h"

namespace net {

/// An address and a port, as a connection's end: "192.0.2.1:80", "[2001:db8::1]:80".
struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  /// ADDRESS:PORT with IPv6 in brackets; the port is 0..65535 and must be there.
  static std::optional<Endpoint> parse(std::string_view text);

  auto operator<=>(const Endpoint&) const = default;
};

[[nodiscard]] std::string to_string(const Endpoint& endpoint);

}  // namespace net
