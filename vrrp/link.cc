#include "vrrp/link.h"

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

namespace vrrp {

namespace {

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

net::Address address_of(const auto& address) {
  return net::Address::from_bytes(std::as_bytes(std::span(&address, 1))).value_or(net::Address{});
}

void copy_bytes(const net::Address& from, auto& to) { std::memcpy(&to, from.bytes().data(), from.bytes().size()); }

net::Result<net::Fd> open_socket(net::Family family) {
  const int af = family == net::Family::ipv4 ? AF_INET : AF_INET6;
  net::Fd fd(::socket(af, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, ipproto_vrrp));
  if (!fd) return net::system_error(errno, "open a VRRP socket (this needs CAP_NET_RAW)");
  return fd;
}

enum class Use : std::uint8_t { multicast, unicast, send_multicast };

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
      result_ = net::system_error(errno, doing);
    }
    return *this;
  }
  [[nodiscard]] net::Result<> result() const { return result_; }

 private:
  int fd_;
  net::Result<> result_;
};

void prepare_ipv4(Options& options, int interface_index, Use use) {
  options.set(IPPROTO_IP, IP_TTL, int{required_ttl}, "set the TTL of adverts")
      .set(IPPROTO_IP, IP_TOS, dscp_cs6, "set the TOS of adverts");
  if (use == Use::unicast) {
    options.set(IPPROTO_IP, IP_MULTICAST_ALL, 0, "keep multicast adverts out");
    return;
  }
  ip_mreqn membership{};
  copy_bytes(multicast_group(net::Family::ipv4), membership.imr_multiaddr);
  membership.imr_ifindex = interface_index;
  if (use == Use::multicast) options.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership, "join 224.0.0.18");
  options.set(IPPROTO_IP, IP_MULTICAST_IF, membership, "choose the interface of multicast")
      .set(IPPROTO_IP, IP_MULTICAST_TTL, int{required_ttl}, "set the TTL of adverts")
      .set(IPPROTO_IP, IP_MULTICAST_LOOP, 0, "keep own adverts out");
}

void prepare_ipv6(Options& options, int interface_index, Use use) {
  options.set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, int{required_ttl}, "set the hop limit of adverts")
      .set(IPPROTO_IPV6, IPV6_TCLASS, dscp_cs6, "set the traffic class of adverts")
      .set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "ask for hop limits")
      .set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "ask for destinations");
  if (use == Use::unicast) {
    options.set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "keep multicast adverts out");
    return;
  }
  ipv6_mreq membership{};
  copy_bytes(multicast_group(net::Family::ipv6), membership.ipv6mr_multiaddr);
  membership.ipv6mr_interface = static_cast<unsigned>(interface_index);
  if (use == Use::multicast) {
    options.set(IPPROTO_IPV6, IPV6_JOIN_GROUP, membership, "join ff02::12");
  } else {
    options.set(IPPROTO_IPV6, IPV6_FREEBIND, 1, "send from an address of another interface");
  }
  options.set(IPPROTO_IPV6, IPV6_MULTICAST_IF, interface_index, "choose the interface of multicast")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int{required_ttl}, "set the hop limit of adverts")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "keep own adverts out");
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
std::optional<Link::Packet> read_ipv4(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(iphdr)) return std::nullopt;
  iphdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  const std::size_t header_size = header.ihl * 4U;
  if (header_size < sizeof header || header_size > bytes.size()) return std::nullopt;
  return Link::Packet{.path = {.source = address_of(header.saddr), .destination = address_of(header.daddr)},
                      .ttl = header.ttl,
                      .advert = bytes.subspan(header_size)};
}

/// A raw IPv6 socket hands over the payload, and the rest as ancillary data.
std::optional<Link::Packet> read_ipv6(std::span<const std::byte> bytes, const sockaddr_in6& from, msghdr& message) {
  Link::Packet packet{.path = {.source = address_of(from.sin6_addr), .destination = {}}, .ttl = 0, .advert = bytes};
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != IPPROTO_IPV6) continue;
    if (header->cmsg_type == IPV6_HOPLIMIT) {
      int hop_limit = 0;
      std::memcpy(&hop_limit, CMSG_DATA(header), sizeof hop_limit);
      packet.ttl = static_cast<std::uint8_t>(hop_limit);
    } else if (header->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(header), sizeof info);
      packet.path.destination = address_of(info.ipi6_addr);
    }
  }
  return packet;
}

}  // namespace

const net::Address& multicast_group(net::Family family) {
  static const net::Address ipv4 = net::Address::parse("224.0.0.18").value();
  static const net::Address ipv6 = net::Address::parse("ff02::12").value();
  return family == net::Family::ipv4 ? ipv4 : ipv6;
}

net::Result<> Link::permitted(net::Family family) {
  const auto socket = open_socket(family);
  if (!socket) return std::unexpected(socket.error());
  return {};
}

namespace {

net::Result<net::Fd> open_for(const net::Interface& interface, net::Family family, Use use) {
  auto socket = open_socket(family);
  if (!socket) return socket;
  Options options(socket->get());
  // Nobody reads this one. First, since from now on it would hear everything of its protocol.
  static constexpr sock_filter refuse_all = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog filter{.len = 1, .filter = const_cast<sock_filter*>(&refuse_all)};
  if (use == Use::send_multicast) options.set(SOL_SOCKET, SO_ATTACH_FILTER, filter, "keep adverts out");
  if (use != Use::unicast) {
    options.set(SOL_SOCKET, SO_BINDTODEVICE, interface.name.data(), interface.name.size(), "bind to the interface");
  }
  if (family == net::Family::ipv4) {
    prepare_ipv4(options, interface.index, use);
  } else {
    prepare_ipv6(options, interface.index, use);
  }
  // A flood must not push the master's adverts out of the buffer before the next turn of the loop. Best effort.
  ::setsockopt(socket->get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof receive_buffer);
  options.set(SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL,
              "set the priority of adverts");  // after the TOS, which sets it too
  if (auto done = options.result(); !done) {
    return std::unexpected(
        net::Error{done.error().code, fmt::format("VRRP on {}: {}", interface.name, done.error().message)});
  }
  return socket;
}

}  // namespace

net::Result<Link> Link::open(const net::Interface& interface, net::Family family, bool unicast) {
  auto socket = open_for(interface, family, unicast ? Use::unicast : Use::multicast);
  if (!socket) return std::unexpected(socket.error());
  return Link(std::move(*socket), family, interface.index, unicast);
}

net::Result<Link> Link::open_sender(const net::Interface& interface, net::Family family) {
  auto socket = open_for(interface, family, Use::send_multicast);
  if (!socket) return std::unexpected(socket.error());
  return Link(std::move(*socket), family, interface.index, false);
}

net::Result<> Link::send(std::span<const std::byte> advert, const Path& path) {
  SocketAddress to{};
  Ancillary ancillary{};
  iovec payload{.iov_base = const_cast<std::byte*>(advert.data()), .iov_len = advert.size()};
  msghdr message{};
  message.msg_name = &to;
  message.msg_iov = &payload;
  message.msg_iovlen = 1;
  if (family_ == net::Family::ipv4) {
    to.ipv4.sin_family = AF_INET;
    copy_bytes(path.destination, to.ipv4.sin_addr);
    message.msg_namelen = sizeof to.ipv4;
    in_pktinfo info{};
    info.ipi_ifindex = unicast_ ? 0 : interface_index_;
    copy_bytes(path.source, info.ipi_spec_dst);
    attach(message, ancillary, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    to.ipv6.sin6_family = AF_INET6;
    copy_bytes(path.destination, to.ipv6.sin6_addr);
    const bool scoped = !unicast_ || path.destination.is_link_local();
    to.ipv6.sin6_scope_id = scoped ? static_cast<std::uint32_t>(interface_index_) : 0;
    message.msg_namelen = sizeof to.ipv6;
    in6_pktinfo info{};
    info.ipi6_ifindex = to.ipv6.sin6_scope_id;
    copy_bytes(path.source, info.ipi6_addr);
    attach(message, ancillary, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
  if (::sendmsg(socket_.get(), &message, 0) < 0) {
    return net::system_error(errno, fmt::format("send an advert to {}", to_string(path.destination)));
  }
  return {};
}

std::uint32_t Link::dropped() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof memory;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) return 0;
  return memory[SK_MEMINFO_DROPS];
}

void Link::receive(int budget, const OnPacket& on_packet) {
  std::array<std::byte, 8192> buffer;  // the longest advert has 4088 bytes
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
    const auto packet = family_ == net::Family::ipv4 ? read_ipv4(bytes) : read_ipv6(bytes, from.ipv6, message);
    if (packet) on_packet(*packet);
  }
}

std::optional<net::Address> primary_address(const net::Interface& interface, net::Family family,
                                            const std::set<net::Address>& virtual_ones) {
  const auto fits = [&](const net::InterfaceAddress& own) {
    const net::Address& address = own.prefix.address;
    return address.family() == family && !own.tentative && !virtual_ones.contains(address) &&
           (address.is_v4() || address.is_link_local());
  };
  const auto found = std::ranges::find_if(interface.addresses, fits);
  if (found == interface.addresses.end()) return std::nullopt;
  return found->prefix.address;
}

}  // namespace vrrp
