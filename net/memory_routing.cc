// The routes of a MemoryNetwork: those that come with addresses, and what a route that is set must be.
#include <algorithm>
#include <cerrno>

#include "net/check.h"
#include "net/memory_network.h"
#include "net/memory_source.h"

namespace net {

namespace {

constexpr std::uint8_t kernels_own = 2;  // RTPROT_KERNEL

std::uint8_t number(Scope scope) { return std::to_underlying(scope); }

bool is_loopback_ipv4(const std::optional<Address>& address) {
  static const Prefix loopback = Prefix::parse("127.0.0.0/8").value();
  return address && loopback.contains(*address);
}

bool in_zero_net(const Address& address) { return address.is_v4() && address.bytes()[0] == std::byte{0}; }

Prefix host(const Address& address) {
  return {.address = address, .length = static_cast<std::uint8_t>(address.bits())};
}

Address broadcast_of(const Prefix& prefix) {
  std::array<std::byte, 4> bytes;
  std::ranges::copy(prefix.address.bytes(), bytes.begin());
  for (unsigned bit = prefix.length; bit < 32; ++bit) bytes[bit / 8] |= std::byte{0x80} >> bit % 8;
  return Address::from_bytes(bytes).value();
}

}  // namespace

/// What fib_add_ifaddr makes for the addresses of an interface, in their order.
std::vector<MemoryRoute> MemoryNetwork::ipv4_routes_of(const MemoryInterface& interface) {
  using Type = MemoryRoute::Type;
  std::vector<MemoryRoute> made;
  const auto add = [&](Type type, const Prefix& to, const Address& source, Scope scope) {
    const bool unicast = type == Type::unicast;
    made.push_back({.entry = {.to = to,
                              .interface_index = interface.index,
                              .source = source,
                              .table = unicast ? MemoryRoutes::main_table : MemoryRoutes::local_table,
                              .scope = scope},
                    .type = type,
                    .protocol = kernels_own});
  };
  for (const MemoryAddress& address : interface.ipv4) {
    const Prefix& own = address.prefix();
    const Address& source = primary_of(interface, address).prefix().address;
    add(Type::local, host(own.address), source, Scope::host);
    const Prefix network = own.network();
    if (!interface.enabled || address.secondary || in_zero_net(network.address) || own.length == 32) continue;
    const bool loopback = !interface.mac;
    if (address.prefix_route) {
      add(loopback ? Type::local : Type::unicast, network, source, loopback ? Scope::host : Scope::link);
    }
    if (own.length < 31) add(Type::broadcast, host(broadcast_of(own)), source, Scope::link);
  }
  return made;
}

const MemoryAddress& MemoryNetwork::primary_of(const MemoryInterface& interface, const MemoryAddress& address) {
  return *std::ranges::find_if(interface.ipv4, [&](const MemoryAddress& other) {
    return !other.secondary && other.prefix().network() == address.prefix().network();
  });
}

/// Only what differs is touched, so that the order among routes to one network stays.
void MemoryNetwork::derive_ipv4_routes(const MemoryInterface& interface) {
  const auto wanted = ipv4_routes_of(interface);
  routes_.remove_if([&](const MemoryRoute& route) {
    const bool derived = route.entry.to.address.is_v4() && route.protocol == kernels_own;
    return derived && route.entry.interface_index == interface.index &&
           std::ranges::find(wanted, route.entry, &MemoryRoute::entry) == wanted.end();
  });
  for (const MemoryRoute& route : wanted) routes_.add(route, MemoryRoutes::Place::last);
}

/// A longer prefix of the main table hides a network that lo has: the kernel looks in both tables at once.
bool MemoryNetwork::is_local_ipv4(const Address& address) const {
  const MemoryRoute* route = routes_.find({.to = address});
  return route != nullptr && route->type == MemoryRoute::Type::local;
}

bool MemoryNetwork::has_local_route(const MemoryInterface& interface, const Address& to, const Address& source) const {
  return std::ranges::any_of(routes_.all(), [&](const MemoryRoute& route) {
    return route.type == MemoryRoute::Type::local && route.entry.to == host(to) && route.entry.source == source &&
           route.entry.interface_index == interface.index;
  });
}

/// Routes of the main table do not outlive their source (fib_sync_down_addr).
void MemoryNetwork::forget_ipv4_source(const Address& address) {
  if (is_local_ipv4(address)) return;
  routes_.remove_if([&](const MemoryRoute& route) {
    return route.entry.table == MemoryRoutes::main_table && route.entry.source == address;
  });
}

bool MemoryNetwork::is_prefix_route(const MemoryRoute& route, const MemoryInterface& interface,
                                    const MemoryAddress& address) {
  return route.protocol == kernels_own && route.entry.to == address.prefix().network() &&
         route.entry.interface_index == interface.index;
}

void MemoryNetwork::add_prefix_route(const MemoryInterface& interface, const MemoryAddress& address) {
  if (!address.prefix_route || !interface.enabled) return;
  MemoryRoute route{.entry = {.to = address.prefix().network(),
                              .interface_index = interface.index,
                              .metric = MemoryRoutes::ipv6_prefix_metric},
                    .protocol = kernels_own};
  if (address.lease) route.until = address.until();
  routes_.add(route, MemoryRoutes::Place::last);
}

/// A permanent address no longer wants it: it stays as long as another one does (check_cleanup_prefix_route).
void MemoryNetwork::clean_prefix_route(const MemoryInterface& interface, const MemoryAddress& gone) {
  std::optional<Instant> until;
  for (const MemoryAddress& other : interface.ipv6) {
    if (other.prefix().network() != gone.prefix().network() || other.prefix() == gone.prefix()) continue;
    if (!other.lease || !other.prefix_route) return;
    until = std::max(until.value_or(other.until()), other.until());
  }
  if (!until) {
    routes_.remove_if([&](const MemoryRoute& route) { return is_prefix_route(route, interface, gone); });
    return;
  }
  for (MemoryRoute& route : routes_.all()) {
    if (is_prefix_route(route, interface, gone) && !route.until) route.until = until;
  }
}

int MemoryNetwork::add_route(MemoryRoute route, MemoryRoutes::Place place) {
  RouteEntry& entry = route.entry;
  const bool v4 = entry.to.address.is_v4();
  if (const int code = v4 ? resolve_ipv4(entry) : resolve_ipv6(entry); code != 0) return code;
  return routes_.add(route, place);
}

int MemoryNetwork::drop_route(const RouteEntry& route) {
  if (route.to.address.is_v6()) {
    RouteEntry masked = route;
    masked.to = route.to.network();
    return routes_.remove(masked);
  }
  return route.to == route.to.network() ? routes_.remove(route) : EINVAL;
}

std::vector<RouteEntry> MemoryNetwork::own_routes() const {
  std::vector<RouteEntry> own;
  for (const MemoryRoute& route : routes_.all()) {
    if (route.protocol != RouteTable::protocol || routes_.is_shared(route)) continue;
    RouteEntry& entry = own.emplace_back(route.entry);
    if (entry.to.address.is_v6() && entry.metric == MemoryRoutes::ipv6_metric) entry.metric = 0;
  }
  return own;
}

/// fib_table_insert, fib_create_info, fib_check_nh.
int MemoryNetwork::resolve_ipv4(RouteEntry& route) const {
  if (route.to != route.to.network()) return EINVAL;
  if (route.via) {
    if (route.scope == Scope::host) return EINVAL;
    MemoryRoutes::Query query{.to = *route.via,
                              .interface_index = route.interface_index,
                              .table = route.table == MemoryRoutes::main_table ? 0 : route.table,
                              .least_scope = std::max<std::uint8_t>(number(route.scope) + 1, number(Scope::link))};
    const MemoryRoute* next_hop = routes_.find(query);
    query.table = 0;
    if (next_hop == nullptr) next_hop = routes_.find(query);
    if (next_hop == nullptr) return ENETUNREACH;
    if (next_hop->type == MemoryRoute::Type::broadcast) return EINVAL;
    route.interface_index = next_hop->entry.interface_index;
  }
  const MemoryInterface* interface = find(route.interface_index);
  if (interface == nullptr) return ENODEV;
  if (!interface->enabled && route.scope != Scope::host) return ENETDOWN;
  return !route.source || is_local_ipv4(*route.source) ? 0 : EINVAL;
}

/// ip6_route_info_create, fib6_nh_init, ip6_validate_gw.
int MemoryNetwork::resolve_ipv6(RouteEntry& route) const {
  route.to = route.to.network();
  if (route.metric == 0) route.metric = MemoryRoutes::ipv6_metric;
  const auto is_on_interface = [&](const Address& address) {
    const MemoryInterface* interface = find(route.interface_index);
    return interface != nullptr && interface->has(address);
  };
  if (route.interface_index != 0 && find(route.interface_index) == nullptr) return ENODEV;
  if (route.via) {
    const Address& via = *route.via;
    if (via.is_link_local() ? is_on_interface(via) : is_own(via)) return EINVAL;
    if (via.is_any() || via.is_multicast()) return EINVAL;
    if (!via.is_link_local()) {
      MemoryRoutes::Query query{.to = via, .interface_index = route.interface_index, .table = route.table};
      const MemoryRoute* next_hop = routes_.find(query);
      query.table = 0;
      if (next_hop == nullptr || next_hop->entry.via) next_hop = routes_.find(query);
      if (next_hop == nullptr || next_hop->entry.via) return EHOSTUNREACH;
      route.interface_index = next_hop->entry.interface_index;
    }
  }
  const MemoryInterface* interface = find(route.interface_index);
  if (interface == nullptr || (route.via && !interface->mac)) return EINVAL;
  if (!interface->enabled) return ENETDOWN;
  if (!route.source) return 0;
  const bool of_its_link = route.source->is_link_local() || is_loopback_ipv6(*route.source);
  return (of_its_link ? is_on_interface(*route.source) : is_own(*route.source)) ? 0 : EINVAL;
}

std::expected<Route, int> MemoryNetwork::route_to(const Address& address) const {
  static constexpr int loopback = 1;
  if (address.is_v6() && is_own(address)) return Route{.interface_index = loopback, .source = address, .local = true};
  const MemoryRoute* found = routes_.find({.to = address});
  if (found == nullptr) return std::unexpected(ENETUNREACH);
  const RouteEntry& entry = found->entry;
  const bool local = found->type == MemoryRoute::Type::local;
  Route route{.interface_index = local ? loopback : entry.interface_index, .source = entry.source, .local = local};
  if (!route.source) {
    route.source = address.is_v4() ? choose_ipv4_source(interfaces_, entry)
                                   : choose_ipv6_source(interfaces_, entry.interface_index, address);
  }
  if (!local && is_loopback_ipv4(route.source) &&
      must_exist(find(entry.interface_index), "a route is of an interface").mac)
    return std::unexpected(EINVAL);
  return route;
}

}  // namespace net
