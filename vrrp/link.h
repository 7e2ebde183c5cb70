#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/fd.h"
#include "net/links.h"
#include "vrrp/advert.h"
#include "vrrp/spec.h"

namespace vrrp {

/// Where multicast adverts of a family go: 224.0.0.18 or ff02::12.
[[nodiscard]] const net::Address& multicast_group(net::Family family);

/// One virtual router's socket (IP protocol 112): on one interface by multicast, or to and from named peers.
class Link {
 public:
  struct Packet {
    Path path;
    std::uint8_t ttl = 0;
    std::span<const std::byte> advert;  ///< what the IP header was followed by
  };
  using OnPacket = std::function<void(const Packet&)>;

  /// Whether this process may open such sockets at all. Error EPERM: it lacks CAP_NET_RAW.
  static net::Result<> permitted(net::Family family);

  /// A multicast link is bound to the interface as it is now: open another when the interface was made anew. A unicast
  /// one goes wherever the routes lead.
  static net::Result<Link> open(const net::Interface& interface, net::Family family, bool unicast);

  /// One that only sends multicast adverts, by another interface than the one whose address they come from.
  static net::Result<Link> open_sender(const net::Interface& interface, net::Family family);

  [[nodiscard]] int fd() const { return socket_.get(); }

  net::Result<> send(std::span<const std::byte> advert, const Path& path);

  /// How many packets found no room in the socket's buffer since it was opened.
  [[nodiscard]] std::uint32_t dropped() const;

  /// Hands over what has arrived, `budget` packets at most, without waiting.
  void receive(int budget, const OnPacket& on_packet);

 private:
  Link(net::Fd socket, net::Family family, int interface_index, bool unicast)
      : socket_(std::move(socket)), family_(family), interface_index_(interface_index), unicast_(unicast) {}

  net::Fd socket_;
  net::Family family_;
  int interface_index_;
  bool unicast_;
};

/// The address from which multicast adverts leave an interface: the first of a family that is not among `virtual_ones`;
/// for IPv6 a link-local one. Nothing while there is none that is ready.
[[nodiscard]] std::optional<net::Address> primary_address(const net::Interface& interface, net::Family family,
                                                          const std::set<net::Address>& virtual_ones);

}  // namespace vrrp
