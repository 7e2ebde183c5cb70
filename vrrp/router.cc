#include "vrrp/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/host.h"
#include "vrrp/link.h"
#include "vrrp/signature.h"
#include "vrrp/virtual_mac.h"

namespace vrrp {

namespace {

/// The address as the kernel is asked for it.
net::Leases::Request lease_request(const VirtualAddress& address, const net::Interface& interface, bool prefix_route) {
  return {.interface_index = interface.index,
          .prefix = address.prefix,
          .prefix_route = prefix_route,
          .label = address.label.empty() ? "" : fmt::format("{}:{}", interface.name, address.label),
          .scope = address.scope};
}

/// Whether the address that is there has another label or scope, which the kernel changes only with the address.
bool differs(const net::InterfaceAddress& present, const net::Leases::Request& wanted, const std::string& interface) {
  if (present.prefix.address.is_v6()) return false;
  return present.label != (wanted.label.empty() ? interface : wanted.label) ||
         present.scope != wanted.scope.value_or(net::suitable_scope(present.prefix.address));
}

net::Result<> first_error(net::Result<> so_far, net::Result<> next) { return so_far ? next : so_far; }

}  // namespace

net::Result<> Router::refresh(const net::Links& links, net::Sysctls& sysctls,
                              const std::set<net::Address>& virtual_addresses, OnReady on_ready) {
  const int old_index = interface_ ? interface_->index : 0;
  const int old_address_index = address_interface_ ? address_interface_->index : 0;
  interface_.reset();
  address_interface_.reset();
  source_.reset();
  if (const auto* interface = links.find(spec_.interface)) interface_ = *interface;
  auto found = find_address_interface(links);
  if (found) address_interface_ = std::move(*found);
  const int index = interface_ ? interface_->index : 0;
  const int address_index = address_interface_ ? address_interface_->index : 0;
  if (index == 0 || index != old_index || address_index != old_address_index) close();
  fault_ = found ? open(links, virtual_addresses, std::move(on_ready)) : found.error().message;
  // Nobody reads while there is a fault: an open socket would keep the loop awake, and hand over stale adverts later.
  if (!fault_.empty()) close();
  if (!spec_.virtual_mac || !address_interface_ || address_index == old_address_index) return {};
  return separate_arp(sysctls, interface_->name, address_interface_->name);
}

/// The interface of its addresses: one of its own is made where it is not there.
net::Result<std::optional<net::Interface>> Router::find_address_interface(const net::Links& links) const {
  if (!interface_ || !spec_.virtual_mac) return interface_;
  const net::Mac mac = virtual_mac(spec_.family(), spec_.router_id);
  const net::Interface* known = links.find(spec_.address_interface());
  if (known != nullptr && known->lower_index == interface_->index && known->mac == mac) return *known;
  return host_->make_macvlan({.name = spec_.address_interface(), .lower_index = interface_->index, .mac = mac});
}

net::Result<> Router::remove_interface() {
  if (!spec_.virtual_mac || !address_interface_) return {};
  const int index = address_interface_->index;
  address_interface_.reset();
  return host_->remove_interface(index);
}

std::string Router::open(const net::Links& links, const std::set<net::Address>& virtual_addresses, OnReady on_ready) {
  if (!interface_) return fmt::format("there is no interface {}", spec_.interface);
  if (!interface_->up) return fmt::format("link {} is down", spec_.interface);
  if (spec_.interface == "lo" && !spec_.peer_priorities.empty())
    return "no advertisement reaches another node by lo: use the interface that connects the nodes";
  if (auto missing = missing_own_address(); !missing.empty()) return missing;

  const auto source =
      spec_.unicast ? spec_.unicast->source : primary_address(*interface_, spec_.family(), virtual_addresses);
  if (!source) {
    return fmt::format("{} has no {} of its own yet", spec_.interface,
                       spec_.family() == net::Family::ipv4 ? "IPv4 address" : "link-local IPv6 address");
  }
  const net::Interface* holder = spec_.unicast ? find_holder(links, *source, spec_.interface) : &*interface_;
  if (holder == nullptr) return fmt::format("no interface has the address {} of this node yet", to_string(*source));
  if (auto fault = open_port(links, *holder, std::move(on_ready)); !fault.empty()) return fault;
  using Use = net::RawSocket::Use;
  if (spec_.virtual_mac && !sender_) {
    auto sender = host_->open_socket(*loop_, socket_for(spec_.family(), Use::send_multicast, *address_interface_), {});
    if (!sender) return sender.error().message;
    sender_ = std::move(*sender);
  }
  source_ = source;
  return "";
}

/// Of an owner: why an address is not its own, which it would be for good; "" if all are.
std::string Router::missing_own_address() const {
  if (!spec_.owns_addresses()) return "";
  for (const VirtualAddress& address : spec_.addresses) {
    const auto leased = host_->find_address(interface_->index, address.prefix);
    if (!leased) return leased.error().message;
    if (interface_->has(address.prefix) && !*leased) continue;
    return fmt::format("{} is not a permanent address of {}, which priority 255 (address owner) needs",
                       to_string(address.prefix), spec_.interface);
  }
  return "";
}

/// `holder`: of the source address. Peers that lost this node's Ethernet address while its link was down can send to it
/// as soon as they are told of it.
std::string Router::open_port(const net::Links& links, const net::Interface& holder, OnReady on_ready) {
  const auto* vrf = spec_.unicast ? links.find(holder.vrf_index) : nullptr;
  if (const std::string name = vrf == nullptr ? "" : vrf->name; std::exchange(vrf_, name) != name) close();
  if (port_) return "";
  const auto use = spec_.unicast ? net::RawSocket::Use::unicast : net::RawSocket::Use::multicast;
  auto wanted = socket_for(spec_.family(), use, *interface_);
  wanted.vrf = vrf_;
  auto port = sockets_->open(wanted, spec_.router_id, std::move(on_ready));
  if (!port) return port.error().message;
  port_ = std::move(*port);
  if (spec_.unicast) std::ignore = host_->announce(holder, spec_.unicast->source);
  return "";
}

Counters Router::counters() const {
  Counters counters = counters_;
  if (!port_) return counters;
  counters.dropped += port_->dropped();
  counters.rejected[std::to_underlying(RejectReason::router_id)] += port_->unclaimed();
  return counters;
}

void Router::close() {
  counters_ = counters();
  port_.reset();
  sender_.reset();
}

net::Result<> Router::change(Spec spec) {
  net::Result<> result;
  for (const net::Prefix& prefix : spec_.owns_addresses() ? std::vector<net::Prefix>{} : present_addresses()) {
    if (std::ranges::find(spec.addresses, prefix, &VirtualAddress::prefix) != spec.addresses.end()) continue;
    result = first_error(std::move(result), host_->drop_address(address_interface_->index, prefix));
  }
  if (spec.unicast.has_value() != spec_.unicast.has_value()) close();  // another kind of socket
  spec_ = std::move(spec);
  return result;
}

net::Result<> Router::send(std::uint8_t priority, bool as_master) {
  if (!port_ || !source_) return {};
  Advert advert{
      .router_id = spec_.router_id, .priority = priority, .max_advertise_interval = spec_.advertise, .addresses = {}};
  for (const VirtualAddress& address : spec_.addresses) advert.addresses.push_back(address.prefix.address);

  net::Result<> result;
  const auto send_to = [&](const net::Address& destination) {
    const Path path{.source = *source_, .destination = destination};
    const auto packet = packet_of(advert, path);
    auto sent = sender_ && as_master ? sender_->send(packet, path.source, path.destination)
                                     : port_->send(packet, path.source, path.destination);
    ++(sent ? counters_.sent : counters_.send_errors);
    result = first_error(std::move(result), std::move(sent));
  };
  if (spec_.unicast) {
    std::ranges::for_each(spec_.unicast->peers, send_to);
  } else {
    send_to(multicast_group(spec_.family()));
  }
  return result;
}

std::vector<std::byte> Router::packet_of(const Advert& advert, const Path& path) {
  if (spec_.version == 2) return encode_v2(advert, spec_.password);
  auto packet = encode(advert, path, checksum());
  if (!signs()) return packet;
  return sign(packet, path, spec_.signing->keys.front(), next_sequence());
}

/// Whether the interface itself has an address in the other's network.
bool Router::reaches(const net::Address& address) const {
  return std::ranges::any_of(interface_->addresses, [&](const net::InterfaceAddress& own) {
    return std::ranges::find(spec_.addresses, own.prefix, &VirtualAddress::prefix) == spec_.addresses.end() &&
           own.prefix.contains(address);
  });
}

/// Of IPv4 the kernel sees by itself, on one interface, that there is a route already.
bool Router::needs_prefix_route(const net::Prefix& prefix) const {
  return (prefix.address.is_v4() && !spec_.virtual_mac) || !reaches(prefix.address);
}

net::Result<> Router::claim(std::chrono::seconds lease) {
  net::Result<> result;
  if (!address_interface_ || spec_.owns_addresses()) return result;
  if (spec_.virtual_mac && !address_interface_->up) {
    result = host_->set_up(address_interface_->index, true);
    address_interface_->up = result.has_value();  // until the kernel's own word of it arrives
  }
  for (const VirtualAddress& address : spec_.addresses) {
    const auto request = lease_request(address, *address_interface_, needs_prefix_route(address.prefix));
    const auto* present = address_interface_->find(address.prefix);
    if (present != nullptr && differs(*present, request, address_interface_->name)) {
      result = first_error(std::move(result), host_->drop_address(address_interface_->index, address.prefix));
    }
    result = first_error(std::move(result), host_->lease_address(request, lease));
  }
  return result;
}

net::Result<> Router::yield() {
  net::Result<> result;
  if (!address_interface_ || spec_.owns_addresses()) return result;
  // First, so that it lets nothing out any more: to leave an IPv6 address's multicast group is told to all, and would
  // lead the switches back here.
  if (spec_.virtual_mac) {
    result = host_->set_up(address_interface_->index, false);
    address_interface_->up = false;
  }
  for (const VirtualAddress& address : spec_.addresses) {
    result = first_error(std::move(result), host_->drop_address(address_interface_->index, address.prefix));
  }
  return result;
}

std::vector<net::Prefix> Router::duplicates() const {
  std::vector<net::Prefix> found;
  if (!address_interface_ || spec_.owns_addresses()) return found;
  for (const auto& present : address_interface_->addresses) {
    const auto same = std::ranges::find_if(spec_.addresses, [&](const VirtualAddress& own) {
      return own.prefix.address == present.prefix.address && own.prefix != present.prefix;
    });
    if (same != spec_.addresses.end()) found.push_back(present.prefix);
  }
  return found;
}

std::vector<net::Prefix> Router::remove_duplicates() {
  auto found = duplicates();
  std::erase_if(found, [&](const net::Prefix& prefix) {
    return !host_->drop_address(address_interface_->index, prefix).has_value();  // tried again with the next claim
  });
  return found;
}

net::Result<> Router::announce() {
  net::Result<> result;
  if (!address_interface_) return result;
  for (const VirtualAddress& address : spec_.addresses) {
    result = first_error(std::move(result), host_->announce(*address_interface_, address.prefix.address));
  }
  return result;
}

/// Where its next hop is, as far as that is known.
std::string Router::interface_of(const VirtualRoute& route) const {
  if (!route.interface.empty()) return route.interface;
  return route.via && interface_ && reaches(*route.via) ? spec_.interface : spec_.address_interface();
}

std::vector<net::RouteEntry> Router::routes(const net::Links& links) const {
  std::vector<net::RouteEntry> entries;
  for (const VirtualRoute& route : spec_.routes) {
    const net::Interface* interface = links.find(interface_of(route));
    if (interface == nullptr) continue;
    const bool v6 = route.to.address.is_v6();
    const net::Scope suitable = v6 || route.via ? net::Scope::global : net::Scope::link;
    entries.push_back({.to = route.to,
                       .via = route.via,
                       .interface_index = interface->index,
                       .source = route.source,
                       .table = route.table,
                       .metric = route.metric,
                       .scope = route.scope.value_or(suitable)});
  }
  return entries;
}

net::Result<> Router::set_routes(const net::Links& links, std::chrono::seconds lease) {
  net::Result<> result;
  for (const VirtualRoute& route : spec_.routes) {
    if (route.interface.empty() || links.find(route.interface) != nullptr) continue;
    result = first_error(std::move(result), net::failure(fmt::format("set the route {}: there is no interface {}",
                                                                     to_string(route), route.interface)));
  }
  for (const net::RouteEntry& route : routes(links))
    result = first_error(std::move(result), host_->set_route(route, lease));
  return result;
}

net::Result<> Router::drop_routes(const net::Links& links) {
  net::Result<> result;
  for (const net::RouteEntry& route : routes(links)) result = first_error(std::move(result), host_->drop_route(route));
  return result;
}

bool Router::has_all_addresses() const { return present_addresses().size() == spec_.addresses.size(); }

std::vector<net::Prefix> Router::present_addresses() const {
  std::vector<net::Prefix> present;
  if (!address_interface_) return present;
  for (const VirtualAddress& address : spec_.addresses) {
    if (address_interface_->has(address.prefix)) present.push_back(address.prefix);
  }
  return present;
}

std::optional<Instant> Router::claimed(std::chrono::seconds lease) const {
  if (!address_interface_) return std::nullopt;
  Instant since = Instant::max();
  for (const VirtualAddress& address : spec_.addresses) {
    const auto found = host_->find_address(address_interface_->index, address.prefix);
    if (!found || !*found || (*found)->granted != lease) return std::nullopt;
    since = std::min(since, (*found)->since);
  }
  return since;
}

}  // namespace vrrp
