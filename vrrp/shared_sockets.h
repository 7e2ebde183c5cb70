#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "net/loop.h"
#include "net/raw_socket.h"

namespace net {
class Host;
}  // namespace net

namespace vrrp {

/// The sockets that a node's virtual routers receive by: one for each link, family and use, however many routers are
/// there. The kernel gives each packet to every socket that hears it: with a socket for each router, all of n routers
/// would read what all of them are sent, n times n packets.
class SharedSockets {
 public:
  class Port;

  /// Both must outlive this, as this does the ports.
  SharedSockets(net::Loop& loop, net::Host& host) : loop_(loop), host_(host) {}
  SharedSockets(const SharedSockets&) = delete;
  SharedSockets& operator=(const SharedSockets&) = delete;

  /// A port for the packets with that VRID. `on_ready` is called by the loop when there are some; it may receive by any
  /// port, and neither opens nor closes one. Errors: as net::Host::open_socket.
  net::Result<std::unique_ptr<Port>> open(const net::RawSocket::Spec& wanted, std::uint8_t router_id,
                                          net::RawSocket::OnReady on_ready);

 private:
  struct Socket;
  using Key = std::tuple<net::RawSocket::Use, net::Family, int, std::string>;

  void read(Socket& socket);
  [[nodiscard]] bool is_taken_elsewhere(const Socket& heard_by, std::uint8_t router_id,
                                        const net::RawSocket::Packet& packet) const;
  void on_ready(Socket& socket);

  net::Loop& loop_;
  net::Host& host_;
  std::map<Key, std::weak_ptr<Socket>> sockets_;
  std::deque<Port*> ready_;    ///< packets wait for these
  std::uint64_t reading_ = 0;  ///< the number of this on_ready()
  bool handing_over_ = false;
};

/// What one virtual router has of a shared socket, which is closed with its last port.
class SharedSockets::Port {
 public:
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  /// As net::RawSocket's.
  net::Result<> send(std::span<const std::byte> payload, const net::Address& source, const net::Address& destination);

  /// Hands over what has arrived for its VRID.
  void receive(const net::RawSocket::OnPacket& on_packet);

  /// Since it was opened, how many packets found no room in the socket's buffer.
  [[nodiscard]] std::uint32_t dropped() const;
  /// Since it was opened, how many packets arrived for virtual routers that have no port here, nor by another socket
  /// that hears them too.
  [[nodiscard]] std::uint64_t unclaimed() const;

 private:
  friend class SharedSockets;

  struct Waiting {
    net::Address source;
    net::Address destination;
    std::uint8_t ttl;
    std::vector<std::byte> payload;
  };

  Port(SharedSockets& owner, std::shared_ptr<Socket> socket, std::uint8_t router_id, net::RawSocket::OnReady on_ready);
  void enqueue(const net::RawSocket::Packet& packet);

  SharedSockets& owner_;
  std::shared_ptr<Socket> socket_;
  std::uint8_t router_id_;
  net::RawSocket::OnReady on_ready_;
  std::vector<Waiting> waiting_;
  std::uint32_t dropped_before_;
  std::uint64_t unclaimed_before_;
};

}  // namespace vrrp
