// The packets of a MemoryHost: raw(7) and what becomes of them below it.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "net/check.h"

#include "net/memory_state.h"

namespace net {

namespace {

using Use = RawSocket::Use;

/// Whether it is sent on the interface that the socket names, whatever the routes say.
bool is_on_interface(const RawSocket::Spec& wanted, const Address& destination) {
  return wanted.use != Use::unicast || (destination.is_v6() && destination.is_link_local());
}

/// Whether the packet may have its source: 0 or an errno. An IPv6 link-local one is good for its own link only, and who
/// sends to a group from anywhere may take any.
int check_source(const MemoryNetwork& network, const RawSocket::Spec& wanted, const RawSocket::Packet& packet) {
  if (wanted.family == Family::ipv4) return network.is_own(packet.source) ? 0 : ENETUNREACH;
  const MemoryInterface* interface = nullptr;
  if (is_on_interface(wanted, packet.destination)) {
    interface = network.find(wanted.interface_index);
    if (interface == nullptr) return ENODEV;
    if (wanted.use == Use::send_multicast) return 0;
  }
  if (!packet.source.is_link_local()) return network.is_own(packet.source) ? 0 : EINVAL;
  return interface != nullptr && interface->has(packet.source) ? 0 : EINVAL;
}

/// The interface by which it leaves, or an errno.
std::expected<const MemoryInterface*, int> way_of(const MemoryNetwork& network, const RawSocket::Spec& wanted,
                                                  const Address& destination) {
  int index = wanted.interface_index;
  if (!is_on_interface(wanted, destination)) {
    const auto route = network.route_to(destination);
    if (!route) return std::unexpected(route.error());
    index = route->interface_index;
  }
  const MemoryInterface* interface = network.find(index);
  if (interface == nullptr) return std::unexpected(ENODEV);
  if (!interface->enabled) return std::unexpected(ENETUNREACH);
  return interface;
}

bool hears(const MemoryNetwork& network, const RawSocket::Spec& wanted, const MemoryInterface& at,
           const Address& destination) {
  if (wanted.family != destination.family() || wanted.use == Use::send_multicast) return false;
  const bool bound_here = wanted.use == Use::multicast && wanted.interface_index == at.index;
  // What is bound to an interface hears all that comes in there for this host, also what is not for its group; and
  // of IPv6 the kernel lets a raw socket without an interface hear every group that another one has joined.
  if (destination.is_multicast()) return bound_here || (wanted.use == Use::unicast && destination.is_v6());
  return network.is_own(destination) && (bound_here || wanted.use == Use::unicast);
}

}  // namespace

Result<> MemoryHost::may_open_socket(const RawSocket::Spec&) { return {}; }

Result<std::unique_ptr<RawSocket>> MemoryHost::open_socket(Loop& loop, const RawSocket::Spec& wanted,
                                                           RawSocket::OnReady on_ready) {
  if (wanted.use != Use::unicast && network().find(wanted.interface_index) == nullptr) {
    return system_error(ENODEV, fmt::format("{} on {}: bind to the interface", wanted.name, wanted.interface));
  }
  auto& sockets = state_->sockets;
  auto socket =
      MemorySocket::open(loop, wanted, std::move(on_ready),
                         {.on_send = [this, wanted](const RawSocket::Packet& packet) { return send(wanted, packet); },
                          .on_close = [&](const MemorySocket& gone) { std::erase(sockets, &gone); }});
  if (!socket) return std::unexpected(socket.error());
  sockets.push_back(socket->get());
  return std::move(*socket);
}

Result<> MemoryHost::send(const RawSocket::Spec& wanted, const RawSocket::Packet& packet) {
  const MemoryInterface* way = nullptr;
  const auto find_way = [&] {
    if (const int code = check_source(network(), wanted, packet); code != 0) return code;
    const auto found = way_of(network(), wanted, packet.destination);
    if (found) way = *found;
    return found ? 0 : found.error();
  };
  auto sent = with_injected_errors(find_way, "send a packet to " + to_string(packet.destination));
  if (!sent || !way->mac || !network().is_up(*way) || !on_send) return sent;
  const std::string leaves_by =
      way->lower_index == 0
          ? way->name
          : must_exist(network().find(way->lower_index), "what an interface is on top of is there").name;
  on_send(leaves_by, packet);
  return {};
}

void MemoryHost::deliver(const std::string& interface, const RawSocket::Packet& packet) {
  expire();
  const MemoryInterface* lower = network().find(interface);
  if (lower == nullptr || !network().is_up(*lower)) return;
  for (const auto& [index, at] : network().interfaces()) {
    const bool multicast = packet.destination.is_multicast();
    const bool arrives = index == lower->index || (multicast && at.lower_index == lower->index && network().is_up(at));
    if (!arrives || (multicast && !has_joined(index, packet.destination))) continue;
    for (MemorySocket* socket : state_->sockets) {
      if (hears(network(), socket->wanted(), at, packet.destination)) socket->enqueue(packet);
    }
  }
}

bool MemoryHost::has_joined(int interface_index, const Address& group) const {
  return std::ranges::any_of(state_->sockets, [&](const MemorySocket* socket) {
    const RawSocket::Spec& wanted = socket->wanted();
    return wanted.use == Use::multicast && wanted.interface_index == interface_index && wanted.group == group;
  });
}

}  // namespace net
