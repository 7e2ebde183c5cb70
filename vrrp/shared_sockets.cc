#include "vrrp/shared_sockets.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "net/check.h"
#include "net/host.h"
#include "vrrp/wire.h"

namespace vrrp {

namespace {

/// For each port, in a turn of the loop: a flood does not keep the loop from its timers, and what arrived while the
/// process stood still is read before they act.
constexpr int packets_a_port = 256;

constexpr std::string_view unchanged = "no port is opened or closed while packets are handed over";

}  // namespace

struct SharedSockets::Socket {
  net::RawSocket::Spec spec;
  std::unique_ptr<net::RawSocket> raw{};
  std::multimap<std::uint8_t, Port*> ports{};  ///< by VRID; one that is replaced may still be here beside the new one
  std::uint64_t unclaimed = 0;
  std::uint64_t read_in = 0;  ///< the last on_ready() in which it was read
};

net::Result<std::unique_ptr<SharedSockets::Port>> SharedSockets::open(const net::RawSocket::Spec& wanted,
                                                                      std::uint8_t router_id,
                                                                      net::RawSocket::OnReady on_ready) {
  net::check(!handing_over_, unchanged);
  std::erase_if(sockets_, [](const auto& entry) { return entry.second.expired(); });
  auto& known = sockets_[{wanted.use, wanted.family, wanted.interface_index, wanted.vrf}];
  auto socket = known.lock();
  if (!socket) {
    socket = std::make_shared<Socket>(Socket{.spec = wanted});
    auto raw = host_.open_socket(loop_, wanted, [this, it = socket.get()] { this->on_ready(*it); });
    if (!raw) return std::unexpected(raw.error());
    socket->raw = std::move(*raw);
    known = socket;
  }
  return std::unique_ptr<Port>(new Port(*this, std::move(socket), router_id, std::move(on_ready)));
}

void SharedSockets::read(Socket& socket) {
  if (std::exchange(socket.read_in, reading_) == reading_) return;
  const int budget = packets_a_port * static_cast<int>(socket.ports.size());
  socket.raw->receive(budget, [&](const net::RawSocket::Packet& packet) {
    const auto router_id = wire::router_id(packet.payload);
    const auto [begin, end] =
        router_id ? socket.ports.equal_range(*router_id) : std::pair(socket.ports.end(), socket.ports.end());
    if (begin == end && !(router_id && is_taken_elsewhere(socket, *router_id, packet))) ++socket.unclaimed;
    for (auto it = begin; it != end; ++it) it->second->enqueue(packet);
  });
}

/// A unicast packet is heard by each socket for unicast and by that of its link for multicast, and a multicast one of
/// IPv6 also by those for unicast.
bool SharedSockets::is_taken_elsewhere(const Socket& heard_by, std::uint8_t router_id,
                                       const net::RawSocket::Packet& packet) const {
  using Use = net::RawSocket::Use;
  const bool for_group = packet.destination.is_multicast();
  if (for_group && heard_by.spec.use == Use::multicast) return false;
  return std::ranges::any_of(sockets_, [&](const auto& entry) {
    const auto other = entry.second.lock();
    return other && other->spec.family == heard_by.spec.family &&
           other->spec.use == (for_group ? Use::multicast : Use::unicast) &&
           (for_group || heard_by.spec.use == Use::multicast || other->spec.vrf == heard_by.spec.vrf) &&
           other->ports.contains(router_id);
  });
}

/// A router may read the sockets of others of its group meanwhile: whatever came by these is handed over too.
void SharedSockets::on_ready(Socket& socket) {
  ++reading_;
  read(socket);
  handing_over_ = true;
  while (!ready_.empty()) {
    Port* port = ready_.front();
    ready_.pop_front();
    if (port->waiting_.empty()) continue;  // received already
    port->on_ready_();
    port->waiting_.clear();
  }
  handing_over_ = false;
}

SharedSockets::Port::Port(SharedSockets& owner, std::shared_ptr<Socket> socket, std::uint8_t router_id,
                          net::RawSocket::OnReady on_ready)
    : owner_(owner),
      socket_(std::move(socket)),
      router_id_(router_id),
      on_ready_(std::move(on_ready)),
      dropped_before_(socket_->raw->dropped()),
      unclaimed_before_(socket_->unclaimed) {
  socket_->ports.emplace(router_id, this);
}

SharedSockets::Port::~Port() {
  net::check(!owner_.handing_over_, unchanged);
  std::erase_if(socket_->ports, [this](const auto& entry) { return entry.second == this; });
  std::erase(owner_.ready_, this);
}

net::Result<> SharedSockets::Port::send(std::span<const std::byte> payload, const net::Address& source,
                                        const net::Address& destination) {
  return socket_->raw->send(payload, source, destination);
}

void SharedSockets::Port::enqueue(const net::RawSocket::Packet& packet) {
  if (waiting_.empty()) owner_.ready_.push_back(this);
  waiting_.push_back({.source = packet.source,
                      .destination = packet.destination,
                      .ttl = packet.ttl,
                      .payload = {packet.payload.begin(), packet.payload.end()}});
}

void SharedSockets::Port::receive(const net::RawSocket::OnPacket& on_packet) {
  owner_.read(*socket_);
  for (const Waiting& packet : std::exchange(waiting_, {})) {
    on_packet(
        {.source = packet.source, .destination = packet.destination, .ttl = packet.ttl, .payload = packet.payload});
  }
}

std::uint32_t SharedSockets::Port::dropped() const { return socket_->raw->dropped() - dropped_before_; }

std::uint64_t SharedSockets::Port::unclaimed() const { return socket_->unclaimed - unclaimed_before_; }

}  // namespace vrrp
