#include "ipvs/ctl/names.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace ipvs {

namespace {

/// The IPv4 address of a name, or of a number in one of inet_aton's forms ("10.1", "0x0a000001").
std::optional<net::Address> resolve_host(const std::string& host) {
  if (in_addr address{}; ::inet_aton(host.c_str(), &address)) {
    return net::Address::from_bytes(std::as_bytes(std::span(&address, 1)));
  }
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* answers = nullptr;
  if (host.empty() || ::getaddrinfo(host.c_str(), nullptr, &hints, &answers) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(answers, ::freeaddrinfo);
  sockaddr_in first{};
  std::memcpy(&first, answers->ai_addr, sizeof first);
  return net::Address::from_bytes(std::as_bytes(std::span(&first.sin_addr, 1)));
}

std::optional<std::uint16_t> parse_port(std::string_view text, Protocol protocol) {
  if (const auto number = parse_number(text, 0, UINT16_MAX)) return static_cast<std::uint16_t>(*number);
  const std::string name(text);
  const auto* service =
      name.empty() ? nullptr : ::getservbyname(name.c_str(), std::string(to_string(protocol)).c_str());
  if (!service) return std::nullopt;
  return ntohs(static_cast<std::uint16_t>(service->s_port));
}

}  // namespace

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t low, std::uint32_t high) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  if (text.starts_with('+')) text.remove_prefix(1);
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < low || number > high) return std::nullopt;
  return number;
}

std::optional<Target> parse_target(std::string_view text, Protocol protocol) {
  std::string_view host = text;
  std::optional<std::string_view> port_text;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == text.npos || close + 1 >= text.size() || text[close + 1] != ':') return std::nullopt;
    host = text.substr(1, close - 1);
    port_text = text.substr(close + 2);
  } else if (const std::size_t colon = text.rfind(':'); colon != text.npos) {
    if (text.find(':') != colon) {  // an IPv6 address without a port
      const auto address = net::Address::parse(text);
      if (!address) return std::nullopt;
      return Target{.address = *address, .port = std::nullopt};
    }
    host = text.substr(0, colon);
    port_text = text.substr(colon + 1);
  }

  auto address = net::Address::parse(host);
  if (address && address->is_v6() != text.starts_with('[')) return std::nullopt;
  if (!address && !text.starts_with('[')) address = resolve_host(std::string(host));
  if (!address) return std::nullopt;
  if (!port_text) return Target{.address = *address, .port = std::nullopt};
  const auto port = parse_port(*port_text, protocol);
  if (!port) return std::nullopt;
  return Target{.address = *address, .port = port};
}

std::string NameResolver::endpoint(const net::Endpoint& endpoint, Protocol protocol) {
  if (numeric_) return to_string(endpoint);
  const std::string& name = host(endpoint.address);
  const std::string& service = port(endpoint.port, protocol);
  return endpoint.address.is_v4() ? name + ":" + service : "[" + name + "]:" + service;
}

const std::string& NameResolver::host(const net::Address& address) {
  const auto [found, is_new] = hosts_.try_emplace(address);
  if (!is_new) return found->second;
  sockaddr_storage socket{};
  if (address.is_v4()) {
    auto& in = reinterpret_cast<sockaddr_in&>(socket);
    std::memcpy(&in.sin_addr, address.bytes().data(), sizeof in.sin_addr);
  } else {
    auto& in6 = reinterpret_cast<sockaddr_in6&>(socket);
    std::memcpy(&in6.sin6_addr, address.bytes().data(), sizeof in6.sin6_addr);
  }
  socket.ss_family = static_cast<sa_family_t>(address.af());
  const socklen_t length = address.is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  char name[NI_MAXHOST];
  const int failed =
      ::getnameinfo(reinterpret_cast<const sockaddr*>(&socket), length, name, sizeof name, nullptr, 0, NI_NAMEREQD);
  return found->second = failed ? to_string(address) : std::string(name);
}

const std::string& NameResolver::port(std::uint16_t port, Protocol protocol) {
  const auto [found, is_new] = ports_.try_emplace({port, protocol});
  if (!is_new) return found->second;
  const auto* service =
      protocol == Protocol::none ? nullptr : ::getservbyport(htons(port), std::string(to_string(protocol)).c_str());
  return found->second = service ? std::string(service->s_name) : std::to_string(port);
}

std::string_view protocol_column(Protocol protocol, std::string_view none) {
  switch (protocol) {
    case Protocol::none:
      return none;
    case Protocol::tcp:
      return "TCP";
    case Protocol::udp:
      return "UDP";
    case Protocol::sctp:
      return "SCTP";
  }
  return "?";
}

}  // namespace ipvs
