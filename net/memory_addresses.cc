// The addresses of a MemoryNetwork: net/ipv4/devinet.c and net/ipv6/addrconf.c.
#include <algorithm>
#include <cerrno>

#include "net/memory_network.h"

namespace net {

namespace {

using Addresses = std::vector<MemoryAddress>;

Addresses::iterator find_in(Addresses& addresses, const Prefix& prefix) {
  return std::ranges::find(addresses, prefix, &MemoryAddress::prefix);
}

/// IPv6 holds an address once, whatever the length of its prefix.
Addresses::iterator find_ipv6(Addresses& addresses, const Address& address) {
  return std::ranges::find(addresses, address, [](const MemoryAddress& each) { return each.prefix().address; });
}

/// Of the kernel's list of IPv6 addresses, which begins with the widest scope: see ipv6_link_dev_addr.
int reach(const MemoryAddress& address) {
  switch (ipv6_scope(address.prefix().address)) {
    case Scope::global:
      return 2;
    case Scope::site:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

bool MemoryInterface::has(const Address& address) const {
  return std::ranges::any_of(of(address.family()), [&](const auto& each) { return each.prefix().address == address; });
}

bool is_loopback_ipv6(const Address& address) { return address == Address::parse("::1"); }

Scope ipv6_scope(const Address& address) {
  static const Prefix site = Prefix::parse("fec0::/10").value();
  if (is_loopback_ipv6(address)) return Scope::host;
  if (address.is_link_local()) return Scope::link;
  return site.contains(address) ? Scope::site : Scope::global;
}

int MemoryNetwork::add_address(int index, const Prefix& prefix, Scope scope) {
  MemoryInterface* interface = find(index);
  if (interface == nullptr) return ENODEV;
  const bool v4 = prefix.address.is_v4();
  auto& addresses = interface->of(prefix.address.family());
  const auto there = v4 ? find_in(addresses, prefix) : find_ipv6(addresses, prefix.address);
  if (there != addresses.end()) return EEXIST;
  MemoryAddress address{.shown = {.prefix = prefix, .label = interface->name, .scope = scope}};
  return v4 ? add_ipv4(*interface, std::move(address)) : add_ipv6(*interface, std::move(address));
}

int MemoryNetwork::lease_address(const Leases::Request& request, std::chrono::seconds lease) {
  MemoryInterface* interface = find(request.interface_index);
  if (interface == nullptr) return ENODEV;
  if (lease.count() == 0) return EINVAL;
  const Prefix& prefix = request.prefix;
  MemoryAddress wanted{.shown = {.prefix = prefix,
                                 .label = request.label.empty() ? interface->name : request.label,
                                 .scope = request.scope.value_or(suitable_scope(prefix.address))},
                       .prefix_route = request.prefix_route,
                       .lease = Leases::Lease{.granted = lease, .since = clock_.now()}};
  if (prefix.address.is_v6()) {
    const auto there = find_ipv6(interface->ipv6, prefix.address);
    if (there == interface->ipv6.end()) return add_ipv6(*interface, std::move(wanted));
    renew_ipv6(*interface, *there, wanted);
    return 0;
  }
  const auto there = find_in(interface->ipv4, prefix);
  if (there == interface->ipv4.end()) return add_ipv4(*interface, std::move(wanted));
  there->lease = wanted.lease;
  return 0;
}

int MemoryNetwork::drop_address(int index, const Prefix& prefix) {
  MemoryInterface* interface = find(index);
  if (interface == nullptr) return ENODEV;
  auto& addresses = interface->of(prefix.address.family());
  const auto found = find_in(addresses, prefix);
  if (found == addresses.end()) return EADDRNOTAVAIL;
  const auto at = static_cast<std::size_t>(found - addresses.begin());
  prefix.address.is_v4() ? remove_ipv4(*interface, at) : remove_ipv6(*interface, at);
  return 0;
}

const MemoryAddress* MemoryNetwork::find_address(int index, const Prefix& prefix) const {
  const MemoryInterface* interface = find(index);
  if (interface == nullptr) return nullptr;
  const auto& addresses = interface->of(prefix.address.family());
  const auto found = std::ranges::find(addresses, prefix, &MemoryAddress::prefix);
  return found == addresses.end() ? nullptr : &*found;
}

bool MemoryNetwork::is_own(const Address& address) const {
  return std::ranges::any_of(interfaces_, [&](const auto& entry) { return entry.second.has(address); });
}

/// Primaries come before secondaries, and those of a wider scope before others: see __inet_insert_ifa.
int MemoryNetwork::add_ipv4(MemoryInterface& interface, MemoryAddress address) {
  auto& addresses = interface.ipv4;
  auto after_primaries = addresses.begin();
  for (auto other = addresses.begin(); other != addresses.end(); ++other) {
    if (!other->secondary && address.shown.scope <= other->shown.scope) after_primaries = other + 1;
    if (other->prefix().network() != address.prefix().network()) continue;
    if (other->shown.scope != address.shown.scope) return EINVAL;
    address.secondary = true;
  }
  address.serial = next_serial_++;
  addresses.insert(address.secondary ? addresses.end() : after_primaries, std::move(address));
  derive_ipv4_routes(interface);
  return 0;
}

/// __inet_del_ifa: a primary takes the secondaries of its subnet with it, or is followed by the first of them.
void MemoryNetwork::remove_ipv4(MemoryInterface& interface, std::size_t at) {
  auto& addresses = interface.ipv4;
  const MemoryAddress gone = addresses[at];
  const auto follows = [&](const MemoryAddress& other) {
    return !gone.secondary && other.secondary && gone.prefix().network() == other.prefix().network();
  };
  auto first = std::ranges::find_if(addresses, follows);
  while (first != addresses.end() && !promotes(interface)) {
    take_ipv4(interface, static_cast<std::size_t>(first - addresses.begin()));
    first = std::ranges::find_if(addresses, follows);
  }
  if (first != addresses.end()) {
    MemoryAddress promoted = *first;
    promoted.secondary = false;
    addresses.erase(first);
    // Behind the primaries after the one that goes whose scope is not wider.
    auto place = at + 1;
    for (std::size_t i = at + 1; i < addresses.size(); ++i) {
      if (!addresses[i].secondary && gone.shown.scope <= addresses[i].shown.scope) place = i + 1;
    }
    addresses.insert(addresses.begin() + static_cast<std::ptrdiff_t>(place), std::move(promoted));
  }
  take_ipv4(interface, at);
}

/// Takes one away, and what stands on it.
void MemoryNetwork::take_ipv4(MemoryInterface& interface, std::size_t at) {
  auto& addresses = interface.ipv4;
  const MemoryAddress gone = addresses[at];
  const Address source = primary_of(interface, gone).prefix().address;
  addresses.erase(addresses.begin() + static_cast<std::ptrdiff_t>(at));
  derive_ipv4_routes(interface);
  const Address& address = gone.prefix().address;
  if (!has_local_route(interface, address, source)) forget_ipv4_source(address);
  if (!addresses.empty()) return;
  // Without any the kernel disables IPv4 there.
  routes_.remove_if([&](const MemoryRoute& route) {
    return route.entry.interface_index == interface.index && route.entry.to.address.is_v4();
  });
}

bool MemoryNetwork::promotes(const MemoryInterface& interface) const {
  const auto is_set = [&](const std::string& whose) {
    const auto found = settings_.find("net/ipv4/conf/" + whose + "/promote_secondaries");
    return found != settings_.end() && found->second != "0";
  };
  return is_set("all") || is_set(interface.name);
}

int MemoryNetwork::add_ipv6(MemoryInterface& interface, MemoryAddress address) {
  const Address& own = address.prefix().address;
  if (own.is_any() || own.is_multicast() || (is_loopback_ipv6(own) && interface.mac)) return EADDRNOTAVAIL;
  address.shown.label.clear();
  address.shown.scope = ipv6_scope(own);
  address.serial = next_serial_++;
  add_prefix_route(interface, address);
  const auto at =
      std::ranges::find_if(interface.ipv6, [&](const auto& other) { return reach(address) >= reach(other); });
  interface.ipv6.insert(at, std::move(address));
  return 0;
}

/// inet6_addr_modify. The length of the prefix stays as it was.
void MemoryNetwork::renew_ipv6(MemoryInterface& interface, MemoryAddress& address, const MemoryAddress& wanted) {
  const MemoryAddress before = address;
  const bool had_prefix_route = !before.lease && before.prefix_route;
  address.lease = wanted.lease;
  address.prefix_route = wanted.prefix_route;
  if (!wanted.prefix_route) {
    if (had_prefix_route) clean_prefix_route(interface, before);
    return;
  }
  if (had_prefix_route) {
    const auto is_its = [&](const MemoryRoute& route) { return is_prefix_route(route, interface, address); };
    if (forgets_prefix_routes) {
      if (routes_.remove_if(is_its) > 0) return;
    } else if (const auto its = std::ranges::find_if(routes_.all(), is_its); its != routes_.all().end()) {
      its->until = address.lease ? std::optional(address.until()) : std::nullopt;
      return;
    }
  }
  add_prefix_route(interface, address);
}

void MemoryNetwork::remove_ipv6(MemoryInterface& interface, std::size_t at) {
  const MemoryAddress gone = interface.ipv6[at];
  interface.ipv6.erase(interface.ipv6.begin() + static_cast<std::ptrdiff_t>(at));
  // That of a leased address stays until its own time is over.
  if (!gone.lease && gone.prefix_route) clean_prefix_route(interface, gone);
  for (MemoryRoute& route : routes_.all()) {
    RouteEntry& entry = route.entry;
    if (entry.interface_index == interface.index && entry.source == gone.prefix().address) entry.source.reset();
  }
}

}  // namespace net
