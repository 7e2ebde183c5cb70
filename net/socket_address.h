#pragma once

#include <sys/socket.h>

#include <optional>

#include "net/endpoint.h"

namespace net {

/// An endpoint as the kernel's socket calls take and give it (ip(7), ipv6(7)).
class SocketAddress {
 public:
  /// To be filled in by a call that gives one.
  SocketAddress() = default;
  explicit SocketAddress(const Endpoint& endpoint);

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t length() const { return length_; }
  [[nodiscard]] socklen_t* room() { return &length_; }

  /// Nothing if it is of another family than IPv4 and IPv6.
  [[nodiscard]] std::optional<Endpoint> endpoint() const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = sizeof storage_;
};

}  // namespace net
