#pragma once

#include <string>
#include <vector>

#include "ipvs/op.h"
#include "test/seeded.h"

/// Seeded random values of the table, from pools small enough that ops meet what earlier ones have left behind.
namespace ipvs {

class Random : public Seeded {
 public:
  using Seeded::Seeded;

  net::Family family() { return chance(3) ? net::Family::ipv6 : net::Family::ipv4; }

  net::Endpoint endpoint(net::Family family, std::uint32_t pool) {
    const std::string host = std::to_string(1 + below(pool));
    const auto address = net::Address::parse((family == net::Family::ipv4 ? "192.0.2." : "2001:db8::") + host);
    return {.address = *address, .port = one_of<std::uint16_t>({80, 443, 65535})};
  }

  ServiceKey service_key() {
    const net::Family of = family();
    if (chance(4)) {
      return {.protocol = Protocol::none,
              .endpoint = {.address = net::Address::any(of), .port = 0},
              .fwmark = 1 + below(2)};
    }
    return {.protocol = one_of<Protocol>({Protocol::tcp, Protocol::udp, Protocol::sctp}),
            .endpoint = endpoint(of, 2),
            .fwmark = 0};
  }

  /// Right values for a service of this family.
  Service service(net::Family of) {
    Service service{.scheduler = one_of<std::string>({"rr", "wrr", "lc", "wlc", "lblc", "sh", "sed", "nq", "mh", "fo"}),
                    .flags = below(16) << 2};
    if (chance(2)) {
      service.persistence = std::chrono::seconds(1 + below(86400));
      const std::uint32_t whole = of == net::Family::ipv4 ? 32 : 128;
      if (chance(2)) service.mask_length = static_cast<std::uint8_t>(1 + below(whole - 1));
      if (of == net::Family::ipv4 && chance(4)) {
        service.mask_length = 0;
        service.raw_mask = one_of<std::uint32_t>({0, 0xff00ff00, 0x00ffffff, 0x0f});
      }
      if (chance(4)) service.persistence_engine = "sip";
    }
    return service;
  }

  DestinationKey destination_key(net::Family of) { return {.endpoint = endpoint(of, 6)}; }

  /// Right values for a destination whose family is its service's.
  Destination destination() {
    Destination destination{.forward = one_of<Forward>({Forward::nat, Forward::route, Forward::tunnel}),
                            .weight = one_of<std::uint32_t>({0, 1, 2, 3, 100, 65535, INT32_MAX}),
                            .upper_threshold = chance(3) ? 10 + below(100) : 0,
                            .lower_threshold = 0,
                            .tunnel = {}};
    if (destination.upper_threshold > 0 && chance(2)) destination.lower_threshold = below(10);
    if (destination.forward == Forward::tunnel) {
      destination.tunnel.type = one_of<Tunnel::Type>({Tunnel::Type::ipip, Tunnel::Type::gue, Tunnel::Type::gre});
      if (destination.tunnel.type == Tunnel::Type::gue) {
        destination.tunnel.port = static_cast<std::uint16_t>(1 + below(65535));
      }
      if (destination.tunnel.type != Tunnel::Type::ipip)
        destination.tunnel.flags = static_cast<std::uint16_t>(below(3));
    }
    return destination;
  }

  Table table(std::uint32_t services) {
    Table table;
    for (std::uint32_t i = below(services + 1); i > 0; --i) {
      const ServiceKey key = service_key();
      ServiceEntry& entry = table[key];
      entry.service = service(key.family());
      for (std::uint32_t j = below(6); j > 0; --j) entry.destinations[destination_key(key.family())] = destination();
    }
    return table;
  }

  /// Any op on the table, right or wrong. Daemons and timeouts are not among them.
  Op op() {
    const ServiceKey key = service_key();
    // Now and then a destination of the other family, which only tunnels may have.
    const net::Family of = chance(12) ? family() : key.family();
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return AddService{key, damaged(service(key.family()))};
      case 4:
      case 5:
        return SetService{key, damaged(service(key.family()))};
      case 6:
        return RemoveService{key};
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
        return AddDestination{key, damaged(destination_key(of)), damaged(destination())};
      case 13:
      case 14:
      case 15:
        return SetDestination{key, destination_key(of), damaged(destination())};
      case 16:
      case 17:
        return RemoveDestination{key, destination_key(of)};
      case 18:
        return Zero{chance(2) ? std::optional(key) : std::nullopt};
      default:
        return chance(10) ? Op(Flush{}) : Op(RemoveDestination{key, destination_key(of)});
    }
  }

 private:
  Service damaged(Service service) {
    if (chance(15))
      service.scheduler = one_of<std::string>({"none", "nosuch", "", "RR", "fifteen-letters", "sixteen-letters-"});
    if (chance(30)) service.persistence_engine = "nosuch";
    return service;
  }

  DestinationKey damaged(DestinationKey key) {
    if (!chance(15)) return key;
    key.endpoint.address = key.endpoint.address.is_v4()
                               ? *net::Address::parse(one_of<std::string>(
                                     {"0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1", "240.0.0.1", "0.1.2.3"}))
                               : *net::Address::parse(one_of<std::string>({"::", "ff02::1", "::1", "fe80::1"}));
    return key;
  }

  Destination damaged(Destination destination) {
    if (chance(20)) destination.weight = one_of<std::uint32_t>({0x80000000u, UINT32_MAX});
    if (chance(20)) destination.lower_threshold = destination.upper_threshold + 1;
    if (chance(20)) destination.tunnel.port = 0;
    return destination;
  }
};

}  // namespace ipvs
