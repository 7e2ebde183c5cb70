#include "net/arp_probe.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>

namespace net {
namespace {

// Ethernet header (14 bytes), then RFC 826: hardware 1, protocol 0x0800, lengths 6 and 4, operation, sender, target.
constexpr std::size_t operation_offset = 20;
constexpr std::size_t sender_mac_offset = 22;
constexpr std::size_t sender_address_offset = 28;
constexpr std::size_t arp_size = 42;
constexpr std::byte reply{2};
constexpr int most_answers = 256;  // in one look: a flood keeps nobody here

void append(std::vector<std::byte>& frame, std::initializer_list<int> bytes) {
  for (const int byte : bytes) frame.push_back(static_cast<std::byte>(byte));
}
void append(std::vector<std::byte>& frame, std::span<const std::byte> bytes) {
  std::ranges::copy(bytes, std::back_inserter(frame));
}

}  // namespace

std::vector<std::byte> arp_probe(const Mac& mac, const Address& address) {
  std::vector<std::byte> frame;
  append(frame, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
  append(frame, mac);
  append(frame, {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, 1});
  append(frame, mac);
  append(frame, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  append(frame, address.bytes());
  return frame;
}

std::optional<Mac> arp_answer(std::span<const std::byte> frame, const Address& address) {
  if (frame.size() < arp_size || frame[12] != std::byte{0x08} || frame[13] != std::byte{0x06}) return std::nullopt;
  if (frame[operation_offset] != std::byte{0} || frame[operation_offset + 1] != reply) return std::nullopt;
  if (!std::ranges::equal(frame.subspan(sender_address_offset, 4), address.bytes())) return std::nullopt;
  Mac mac;
  std::ranges::copy(frame.subspan(sender_mac_offset, mac.size()), mac.begin());
  return mac;
}

Result<ArpProbe> ArpProbe::ask(const Interface& interface, const Address& address) {
  if (!interface.mac) return failure(fmt::format("{} has no Ethernet address", interface.name));
  Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ARP)));
  if (!socket) return system_error(errno, "open a packet socket (this needs CAP_NET_RAW)");
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(ETH_P_ARP);
  link.sll_ifindex = interface.index;
  const auto frame = arp_probe(*interface.mac, address);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&link), sizeof link) != 0 ||
      ::send(socket.get(), frame.data(), frame.size(), 0) < 0) {
    return system_error(errno, fmt::format("send an ARP request on {} for {}", interface.name, to_string(address)));
  }
  return ArpProbe(std::move(socket), address);
}

std::vector<Mac> ArpProbe::answers() {
  std::array<std::byte, 128> buffer;
  for (int budget = most_answers; budget > 0; --budget) {
    const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) break;
    const auto who = arp_answer(std::span(buffer).first(static_cast<std::size_t>(size)), address_);
    if (who && std::ranges::find(answers_, *who) == answers_.end()) answers_.push_back(*who);
  }
  return answers_;
}

}  // namespace net
