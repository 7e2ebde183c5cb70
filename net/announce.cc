#include "net/announce.h"

#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <iterator>

namespace net {

namespace {

using Frame = std::vector<std::byte>;

constexpr Mac broadcast = {std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                           std::byte{0xff}, std::byte{0xff}, std::byte{0xff}};
constexpr Mac all_nodes = {std::byte{0x33}, std::byte{0x33}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};

void append(Frame& frame, std::initializer_list<int> bytes) {
  for (const int byte : bytes) frame.push_back(static_cast<std::byte>(byte));
}
void append(Frame& frame, std::span<const std::byte> bytes) { std::ranges::copy(bytes, std::back_inserter(frame)); }

/// RFC 1071 over an even number of bytes.
std::uint16_t checksum(std::span<const std::byte> bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << 8 | std::to_integer<std::uint32_t>(bytes[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

// Ethernet header, then RFC 826: hardware 1, protocol 0x0800, lengths 6 and 4, operation, sender, target.
Frame gratuitous_arp(ArpForm form, const Mac& mac, const Address& address) {
  Frame frame;
  append(frame, broadcast);
  append(frame, mac);
  append(frame, {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, static_cast<int>(form)});
  append(frame, mac);
  append(frame, address.bytes());
  append(frame, form == ArpForm::request ? Mac{} : broadcast);
  append(frame, address.bytes());
  return frame;
}

// Ethernet header, IPv6 header, then RFC 4861 section 4.4: type 136, flags, target, option 2 (target link-layer
// address).
Frame unsolicited_advertisement(const Mac& mac, const Address& address) {
  static const Address destination = Address::parse("ff02::1").value();
  constexpr int length = 32;
  constexpr int icmpv6 = 58;
  Frame message;
  append(message, {136, 0, 0, 0, 0xa0, 0, 0, 0});
  append(message, address.bytes());
  append(message, {2, 1});
  append(message, mac);

  Frame summed;
  append(summed, address.bytes());
  append(summed, destination.bytes());
  append(summed, {0, 0, 0, length, 0, 0, 0, icmpv6});
  append(summed, message);
  const std::uint16_t sum = checksum(summed);
  message[2] = static_cast<std::byte>(sum >> 8);
  message[3] = static_cast<std::byte>(sum & 0xff);

  Frame frame;
  append(frame, all_nodes);
  append(frame, mac);
  append(frame, {0x86, 0xdd, 0x60, 0, 0, 0, 0, length, icmpv6, 255});
  append(frame, address.bytes());
  append(frame, destination.bytes());
  append(frame, message);
  return frame;
}

Result<Announcer> Announcer::open() {
  Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error(errno, "open a packet socket for ARP (this needs CAP_NET_RAW)");
  return Announcer(std::move(socket));
}

Result<> Announcer::announce(const Interface& interface, const Address& address) {
  if (!interface.mac) return {};
  if (address.is_v6()) return send(interface, unsolicited_advertisement(*interface.mac, address));
  for (const ArpForm form : {ArpForm::request, ArpForm::reply}) {
    if (auto sent = send(interface, gratuitous_arp(form, *interface.mac, address)); !sent) return sent;
  }
  return {};
}

Result<> Announcer::send(const Interface& interface, const Frame& frame) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = interface.index;
  to.sll_halen = ETH_ALEN;
  std::ranges::copy(std::span(frame).first(ETH_ALEN), reinterpret_cast<std::byte*>(to.sll_addr));
  const auto sent =
      ::sendto(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  if (sent < 0) return system_error(errno, fmt::format("announce an address on {}", interface.name));
  return {};
}

}  // namespace net
