#include "net/socket_address.h"

#include <netinet/in.h>

#include <cstring>
#include <span>

namespace net {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    auto* in = reinterpret_cast<sockaddr_in*>(&storage_);
    in->sin_family = AF_INET;
    in->sin_port = htons(endpoint.port);
    std::memcpy(&in->sin_addr, bytes.data(), bytes.size());
    length_ = sizeof *in;
  } else {
    auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage_);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(endpoint.port);
    std::memcpy(&in6->sin6_addr, bytes.data(), bytes.size());
    length_ = sizeof *in6;
  }
}

std::optional<Endpoint> SocketAddress::endpoint() const {
  const auto made = [](const auto& address, in_port_t port) -> std::optional<Endpoint> {
    const auto found = Address::from_bytes(std::as_bytes(std::span(&address, 1)));
    if (!found) return std::nullopt;
    return Endpoint{.address = *found, .port = ntohs(port)};
  };
  if (storage_.ss_family == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage_);
    return made(in->sin_addr, in->sin_port);
  }
  if (storage_.ss_family != AF_INET6) return std::nullopt;
  const auto* in6 = reinterpret_cast<const sockaddr_in6*>(&storage_);
  return made(in6->sin6_addr, in6->sin6_port);
}

}  // namespace net
