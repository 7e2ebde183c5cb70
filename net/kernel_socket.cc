#include "net/kernel_socket.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/pkt_sched.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace net {

namespace {

constexpr int hop_limit_of_all = 255;
constexpr int dscp_cs6 = 0xc0;  // network control
constexpr int receive_buffer = 1 << 20;

union SocketAddress {
  sockaddr any;
  sockaddr_in ipv4;
  sockaddr_in6 ipv6;
};

/// As much ancillary data as one packet brings or takes.
union Ancillary {
  cmsghdr header;
  std::array<char, 256> bytes;
};

Address address_of(const auto& address) {
  return Address::from_bytes(std::as_bytes(std::span(&address, 1))).value_or(Address{});
}

void copy_bytes(const Address& from, auto& to) { std::memcpy(&to, from.bytes().data(), from.bytes().size()); }

using Use = RawSocket::Use;

Result<Fd> open_socket(const RawSocket::Spec& wanted) {
  const int af = wanted.family == Family::ipv4 ? AF_INET : AF_INET6;
  Fd fd(::socket(af, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, wanted.protocol));
  if (!fd) return system_error(errno, fmt::format("open a {} socket (this needs CAP_NET_RAW)", wanted.name));
  return fd;
}

/// Sets options one after the other until one fails.
class Options {
 public:
  explicit Options(int fd) : fd_(fd) {}

  template <class T>
  Options& set(int level, int option, const T& value, const char* doing) {
    return set(level, option, &value, sizeof value, doing);
  }
  Options& set(int level, int option, const void* value, std::size_t size, const char* doing) {
    if (result_ && ::setsockopt(fd_, level, option, value, static_cast<socklen_t>(size)) != 0) {
      result_ = system_error(errno, doing);
    }
    return *this;
  }
  [[nodiscard]] Result<> result() const { return result_; }

 private:
  int fd_;
  Result<> result_;
};

void prepare_ipv4(Options& options, const RawSocket::Spec& wanted) {
  options.set(IPPROTO_IP, IP_TTL, hop_limit_of_all, "set the TTL of packets")
      .set(IPPROTO_IP, IP_TOS, dscp_cs6, "set the TOS of packets");
  if (wanted.use == Use::unicast) {
    options.set(IPPROTO_IP, IP_MULTICAST_ALL, 0, "ignore the multicast groups of other sockets");
    return;
  }
  ip_mreqn membership{};
  copy_bytes(wanted.group, membership.imr_multiaddr);
  membership.imr_ifindex = wanted.interface_index;
  if (wanted.use == Use::multicast) options.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership, "join the multicast group");
  options.set(IPPROTO_IP, IP_MULTICAST_IF, membership, "set the multicast interface")
      .set(IPPROTO_IP, IP_MULTICAST_TTL, hop_limit_of_all, "set the TTL of packets")
      .set(IPPROTO_IP, IP_MULTICAST_LOOP, 0, "disable multicast loopback");
}

void prepare_ipv6(Options& options, const RawSocket::Spec& wanted) {
  options.set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hop_limit_of_all, "set the hop limit of packets")
      .set(IPPROTO_IPV6, IPV6_TCLASS, dscp_cs6, "set the traffic class of packets")
      .set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "request the hop limit of received packets")
      .set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "request the destination of received packets");
  if (wanted.use == Use::unicast) {
    options.set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "ignore the multicast groups of other sockets");
    return;
  }
  ipv6_mreq membership{};
  copy_bytes(wanted.group, membership.ipv6mr_multiaddr);
  membership.ipv6mr_interface = static_cast<unsigned>(wanted.interface_index);
  if (wanted.use == Use::multicast) {
    options.set(IPPROTO_IPV6, IPV6_JOIN_GROUP, membership, "join the multicast group");
  } else {
    options.set(IPPROTO_IPV6, IPV6_FREEBIND, 1, "send from an address of another interface");
  }
  options.set(IPPROTO_IPV6, IPV6_MULTICAST_IF, wanted.interface_index, "set the multicast interface")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hop_limit_of_all, "set the hop limit of packets")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "disable multicast loopback");
}

template <class Info>
void attach(msghdr& message, Ancillary& ancillary, int level, int type, const Info& info) {
  message.msg_control = ancillary.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

/// A raw IPv4 socket hands over the IP header too.
std::optional<RawSocket::Packet> read_ipv4(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(iphdr)) return std::nullopt;
  iphdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::size_t header_size = header.ihl * 4U;
  if (header_size < sizeof header || header_size > bytes.size()) return std::nullopt;
  return RawSocket::Packet{.source = address_of(header.saddr),
                           .destination = address_of(header.daddr),
                           .ttl = header.ttl,
                           .payload = bytes.subspan(header_size)};
}

/// A raw IPv6 socket hands over the payload, and the rest as ancillary data.
std::optional<RawSocket::Packet> read_ipv6(std::span<const std::byte> bytes, const sockaddr_in6& from,
                                           msghdr& message) {
  RawSocket::Packet packet{.source = address_of(from.sin6_addr), .destination = {}, .ttl = 0, .payload = bytes};
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != IPPROTO_IPV6) continue;
    if (header->cmsg_type == IPV6_HOPLIMIT) {
      int hop_limit = 0;
      std::memcpy(&hop_limit, CMSG_DATA(header), sizeof hop_limit);
      packet.ttl = static_cast<std::uint8_t>(hop_limit);
    } else if (header->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(header), sizeof info);
      packet.destination = address_of(info.ipi6_addr);
    }
  }
  return packet;
}

void discard_received(int fd) {
  std::byte start{};
  while (::recv(fd, &start, sizeof start, MSG_DONTWAIT) >= 0 || errno == EINTR) {
  }
}

Result<Fd> open_for(const RawSocket::Spec& wanted) {
  auto socket = open_socket(wanted);
  if (!socket) return socket;
  Options options(socket->get());
  // First, since from now on it hears everything of its protocol, on every interface.
  static constexpr sock_filter refuse_all = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog filter{.len = 1, .filter = const_cast<sock_filter*>(&refuse_all)};
  options.set(SOL_SOCKET, SO_ATTACH_FILTER, filter, "attach a filter that drops all packets");
  const std::string& device = wanted.use == Use::unicast ? wanted.vrf : wanted.interface;
  if (!device.empty()) {
    options.set(SOL_SOCKET, SO_BINDTODEVICE, device.data(), device.size(), "bind to the interface");
  }
  if (wanted.family == Family::ipv4) {
    prepare_ipv4(options, wanted);
  } else {
    prepare_ipv6(options, wanted);
  }
  // A flood must not push a packet that matters out of the buffer before the next turn of the loop. Best effort.
  ::setsockopt(socket->get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer);
  options.set(SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL,
              "set the priority of packets");  // after the TOS, which sets it too
  if (wanted.use != Use::send_multicast) {     // that one is never read
    discard_received(socket->get());
    options.set(SOL_SOCKET, SO_DETACH_FILTER, 0, "detach the filter that drops all packets");
  }
  if (auto done = options.result(); !done) {
    return std::unexpected(
        Error{done.error().code, fmt::format("{} on {}: {}", wanted.name, wanted.interface, done.error().message)});
  }
  return socket;
}

class KernelSocket final : public RawSocket {
 public:
  KernelSocket(Loop& loop, Fd socket, const Spec& wanted)
      : loop_(loop),
        socket_(std::move(socket)),
        family_(wanted.family),
        interface_index_(wanted.interface_index),
        unicast_(wanted.use == Use::unicast) {}
  ~KernelSocket() override { loop_.unwatch(watch_); }
  KernelSocket(const KernelSocket&) = delete;
  KernelSocket& operator=(const KernelSocket&) = delete;

  Result<> watch(OnReady on_ready);
  Result<> send(std::span<const std::byte> payload, const Address& source, const Address& destination) override;
  void receive(int budget, const OnPacket& on_packet) override;
  [[nodiscard]] std::uint32_t dropped() const override;

 private:
  Loop& loop_;
  Fd socket_;
  Family family_;
  int interface_index_;
  bool unicast_;
  Loop::Id watch_ = 0;
};

Result<> KernelSocket::watch(OnReady on_ready) {
  auto watch = loop_.watch(socket_.get(), EPOLLIN, [ready = std::move(on_ready)](std::uint32_t) mutable { ready(); });
  if (!watch) return std::unexpected(watch.error());
  watch_ = *watch;
  return {};
}

Result<> KernelSocket::send(std::span<const std::byte> payload, const Address& source, const Address& destination) {
  SocketAddress to{};
  Ancillary ancillary{};
  iovec bytes{.iov_base = const_cast<std::byte*>(payload.data()), .iov_len = payload.size()};
  msghdr message{};
  message.msg_name = &to;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (family_ == Family::ipv4) {
    to.ipv4.sin_family = AF_INET;
    copy_bytes(destination, to.ipv4.sin_addr);
    message.msg_namelen = sizeof to.ipv4;
    in_pktinfo info{};
    info.ipi_ifindex = unicast_ ? 0 : interface_index_;
    copy_bytes(source, info.ipi_spec_dst);
    attach(message, ancillary, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    to.ipv6.sin6_family = AF_INET6;
    copy_bytes(destination, to.ipv6.sin6_addr);
    const bool scoped = !unicast_ || destination.is_link_local();
    to.ipv6.sin6_scope_id = scoped ? static_cast<std::uint32_t>(interface_index_) : 0;
    message.msg_namelen = sizeof to.ipv6;
    in6_pktinfo info{};
    info.ipi6_ifindex = to.ipv6.sin6_scope_id;
    copy_bytes(source, info.ipi6_addr);
    attach(message, ancillary, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (::sendmsg(socket_.get(), &message, 0) < 0) {
    return system_error(errno, fmt::format("send a packet to {}", to_string(destination)));
  }
  return {};
}

std::uint32_t KernelSocket::dropped() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof memory;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

void KernelSocket::receive(int budget, const OnPacket& on_packet) {
  std::array<std::byte, 8192> buffer;  // more than an advert of VRRP can have: 4088
  for (; budget > 0; --budget) {
    SocketAddress from{};
    Ancillary ancillary{};
    iovec payload{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &payload;
    message.msg_iovlen = 1;
    message.msg_control = ancillary.bytes.data();
    message.msg_controllen = ancillary.bytes.size();
    const ssize_t size = ::recvmsg(socket_.get(), &message, 0);
    if (size < 0) return;  // nothing more, or an error of the link, which its state tells better
    const auto bytes = std::span<const std::byte>(buffer).first(static_cast<std::size_t>(size));
    const auto packet = family_ == Family::ipv4 ? read_ipv4(bytes) : read_ipv6(bytes, from.ipv6, message);
    if (packet) on_packet(*packet);
  }
}

}  // namespace

Result<std::unique_ptr<RawSocket>> open_kernel_socket(Loop& loop, const RawSocket::Spec& wanted,
                                                      RawSocket::OnReady on_ready) {
  auto socket = open_for(wanted);
  if (!socket) return std::unexpected(socket.error());
  auto opened = std::make_unique<KernelSocket>(loop, std::move(*socket), wanted);
  if (wanted.use == Use::send_multicast) return opened;
  if (auto watched = opened->watch(std::move(on_ready)); !watched) return std::unexpected(watched.error());
  return opened;
}

Result<> may_open_kernel_socket(const RawSocket::Spec& wanted) {
  const auto socket = open_socket(wanted);
  if (!socket) return std::unexpected(socket.error());
  return {};
}

}  // namespace net
