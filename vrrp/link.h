#pragma once

#include <optional>
#include <set>
#include <string_view>

#include "net/links.h"
#include "net/raw_socket.h"
#include "vrrp/advert.h"

/// What a link is to VRRP.
namespace vrrp {

/// Where multicast adverts of a family go: 224.0.0.18 or ff02::12.
[[nodiscard]] const net::Address& multicast_group(net::Family family);

/// The socket that adverts of a family are spoken through, on this interface.
[[nodiscard]] net::RawSocket::Spec socket_for(net::Family family, net::RawSocket::Use use,
                                              const net::Interface& interface);

/// The interface that has this address, ready for use: `preferred` if that has it; null if there is none. Valid until
/// the next turn of the loop.
[[nodiscard]] const net::Interface* find_holder(const net::Links& links, const net::Address& address,
                                                std::string_view preferred);

/// Between which addresses a packet travelled.
[[nodiscard]] inline Path path_of(const net::RawSocket::Packet& packet) {
  return {.source = packet.source, .destination = packet.destination};
}

/// The address from which multicast adverts leave an interface: the first of a family that is not among
/// `virtual_addresses`; for IPv6 a link-local one. Nothing while there is none that is ready.
[[nodiscard]] std::optional<net::Address> primary_address(const net::Interface& interface, net::Family family,
                                                          const std::set<net::Address>& virtual_addresses);

}  // namespace vrrp
