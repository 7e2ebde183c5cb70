#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/fd.h"
#include "net/links.h"

/// Tells the neighbours on a link which Ethernet address an IP address has now.
namespace net {

enum class ArpForm : std::uint8_t {
  request = 1,
  reply = 2
};  ///< some hosts learn from the one only, some from the other

/// A gratuitous ARP frame (RFC 5227 section 3): sender and target are the IPv4 `address`.
[[nodiscard]] std::vector<std::byte> gratuitous_arp(ArpForm form, const Mac& mac, const Address& address);

/// An unsolicited neighbour advertisement frame (RFC 4861 section 7.2.6) for the IPv6 `address`, with the flags that
/// RFC 9568 section 6.4 wants: router and override, not solicited.
[[nodiscard]] std::vector<std::byte> unsolicited_advertisement(const Mac& mac, const Address& address);

/// Sends such frames through a packet socket.
class Announcer {
 public:
  /// Error EPERM: the process lacks CAP_NET_RAW.
  static Result<Announcer> open();

  /// Announces that `address` has the interface's Ethernet address, once, in every form its family has. An
  /// interface without one has nobody to tell: success.
  Result<> announce(const Interface& interface, const Address& address);

 private:
  explicit Announcer(Fd socket) : socket_(std::move(socket)) {}

  Result<> send(const Interface& interface, const std::vector<std::byte>& frame);

  Fd socket_;
};

}  // namespace net
