#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "net/address.h"
#include "net/error.h"

namespace net {

/// Packets of one IP protocol that has no ports: what VRRP is spoken with. It closes when it is destroyed.
class RawSocket {
 public:
  virtual ~RawSocket() = default;

  enum class Use : std::uint8_t {
    multicast,       ///< speaks to a group on one interface, and hears it there
    unicast,         ///< speaks to hosts wherever the routes lead, and hears them; of IPv6 also what others joined
    send_multicast,  ///< speaks to a group by one interface, from any address, and hears nothing
  };

  /// All packets leave with TTL or hop limit 255 and the priority of network control (RFC 9568 section 5.1.1.3).
  struct Spec {
    std::string name;  ///< of the protocol, for errors: "VRRP"
    std::uint8_t protocol = 0;
    Family family = Family::ipv4;
    Use use = Use::multicast;
    int interface_index = 0;  ///< of multicast: as the interface is now; one made anew needs another socket
    std::string interface;    ///< its name
    Address group{};          ///< of multicast
    std::string vrf{};        ///< of unicast: the VRF whose routes lead to the hosts; empty: none
  };

  struct Packet {
    Address source;
    Address destination;
    std::uint8_t ttl = 0;                ///< or hop limit, as it arrived
    std::span<const std::byte> payload;  ///< what the IP header was followed by; valid during the call
  };
  using OnPacket = std::function<void(const Packet&)>;
  /// Called by the loop while there are packets to be received.
  using OnReady = std::move_only_function<void()>;

  /// Sends one packet from an address of this host.
  virtual Result<> send(std::span<const std::byte> payload, const Address& source, const Address& destination) = 0;

  /// Hands over what has arrived, `budget` packets at most, without waiting.
  virtual void receive(int budget, const OnPacket& on_packet) = 0;

  /// How many packets found no room in the socket's buffer since it was opened.
  [[nodiscard]] virtual std::uint32_t dropped() const = 0;
};

}  // namespace net
