#include "vrrp/link.h"

#include <algorithm>

namespace vrrp {

const net::Address& multicast_group(net::Family family) {
  static const net::Address ipv4 = net::Address::parse("224.0.0.18").value();
  static const net::Address ipv6 = net::Address::parse("ff02::12").value();
  return family == net::Family::ipv4 ? ipv4 : ipv6;
}

net::RawSocket::Spec socket_for(net::Family family, net::RawSocket::Use use, const net::Interface& interface) {
  return {.name = "VRRP",
          .protocol = ipproto_vrrp,
          .family = family,
          .use = use,
          .interface_index = interface.index,
          .interface = interface.name,
          .group = multicast_group(family)};
}

const net::Interface* find_holder(const net::Links& links, const net::Address& address, std::string_view preferred) {
  const auto has = [&](const net::Interface& interface) {
    return std::ranges::any_of(interface.addresses, [&](const net::InterfaceAddress& own) {
      return own.prefix.address == address && !own.tentative;
    });
  };
  if (const auto* interface = links.find(preferred); interface != nullptr && has(*interface)) return interface;
  const auto found = std::ranges::find_if(links.interfaces(), [&](const auto& entry) { return has(entry.second); });
  return found == links.interfaces().end() ? nullptr : &found->second;
}

std::optional<net::Address> primary_address(const net::Interface& interface, net::Family family,
                                            const std::set<net::Address>& virtual_addresses) {
  const auto fits = [&](const net::InterfaceAddress& own) {
    const net::Address& address = own.prefix.address;
    return address.family() == family && !own.tentative && !virtual_addresses.contains(address) &&
           (address.is_v4() || address.is_link_local());
  };
  const auto found = std::ranges::find_if(interface.addresses, fits);
  if (found == interface.addresses.end()) return std::nullopt;
  return found->prefix.address;
}

}  // namespace vrrp
