#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "ipvs/types.h"

/// Names of hosts and ports on the command line and in the tables, looked up where and as ipvsadm does.
namespace ipvs {

/// A decimal number in [low, high]; spaces before it and one '+' are allowed, as in strtol.
[[nodiscard]] std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t low, std::uint32_t high);

/// HOST, HOST:PORT or [IPV6]:PORT. Hosts are numeric, also in inet_aton's forms, or names with an IPv4 address; ports
/// are numeric or of /etc/services.
struct Target {
  net::Address address;
  std::optional<std::uint16_t> port;
};
[[nodiscard]] std::optional<Target> parse_target(std::string_view text, Protocol protocol);

/// "TCP", as the tables' first column has it; what is of none is `none` there.
[[nodiscard]] std::string_view protocol_column(Protocol protocol, std::string_view none);

/// Turns endpoints into text, remembering what it has looked up.
class NameResolver {
 public:
  /// `numeric`: without any look-up.
  explicit NameResolver(bool numeric) : numeric_(numeric) {}

  /// "192.0.2.1:80", "[2001:db8::1]:80", "www.example.org:http". Ports of Protocol::none have no name.
  [[nodiscard]] std::string endpoint(const net::Endpoint& endpoint, Protocol protocol);

 private:
  const std::string& host(const net::Address& address);
  const std::string& port(std::uint16_t port, Protocol protocol);

  bool numeric_;
  std::map<net::Address, std::string> hosts_;
  std::map<std::tuple<std::uint16_t, Protocol>, std::string> ports_;
};

}  // namespace ipvs
