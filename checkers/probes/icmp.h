#pragma once

#include <cstdint>

#include "checkers/probe.h"

namespace checkers {

/// One ICMP or ICMPv6 echo (RFC 792, RFC 4443), recognised by what it carries, whichever kind of socket it travels by.
class EchoExchange final : public Exchange {
 public:
  /// `token` is carried there and back, and should be like no other's.
  EchoExchange(const net::Address& target, std::uint64_t token) : target_(target), token_(token) {}

  std::string question() override;
  std::optional<Result> receive(std::string_view datagram) override;
  [[nodiscard]] std::string doing() const override;

 private:
  net::Address target_;
  std::uint64_t token_;
};

/// RFC 1071, over bytes in network order.
[[nodiscard]] std::uint16_t internet_checksum(std::string_view bytes);

}  // namespace checkers
