#include "test/interop/vrrp/ear.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <span>

#include "vrrp/advert.h"

namespace {

using Bytes = std::span<const std::byte>;

/// What follows the IP header, and who sent it, if the packet is VRRP's.
std::optional<Ear::Advert> parse(Bytes packet) {
  const auto byte = [&](std::size_t at) { return std::to_integer<std::uint8_t>(packet[at]); };
  if (packet.size() < 20) return std::nullopt;
  const bool ipv4 = byte(0) >> 4 == 4;
  const std::size_t header = ipv4 ? (byte(0) & 15U) * 4U : 40;
  if (packet.size() < header + 8 || byte(ipv4 ? 9 : 6) != vrrp::ipproto_vrrp) return std::nullopt;
  const auto source = net::Address::from_bytes(ipv4 ? packet.subspan(12, 4) : packet.subspan(8, 16));
  return Ear::Advert{.at = {},
                     .source = source.value(),
                     .version = static_cast<std::uint8_t>(byte(header) >> 4),
                     .router_id = byte(header + 1),
                     .priority = byte(header + 2)};
}

/// The kernel stamps packets with the time of day; how long ago that was is true of any clock.
net::Instant instant_of(const timespec& stamp) {
  timespec day{};
  ::clock_gettime(CLOCK_REALTIME, &day);
  const auto ago =
      std::chrono::seconds(day.tv_sec - stamp.tv_sec) + std::chrono::nanoseconds(day.tv_nsec - stamp.tv_nsec);
  return net::monotonic_now() - ago;
}

}  // namespace

Ear::Ear(const lab::Host& host) {
  const lab::Within within(host.network);
  socket_ =
      net::Fd(lab::must(::socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)), "listen"));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex("eth0"));
  lab::must(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "listen on eth0");
  const int on = 1;
  lab::must(::setsockopt(socket_.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on), "ask for times");
}

const std::vector<Ear::Advert>& Ear::heard() {
  for (;;) {
    std::array<std::byte, 2048> buffer;
    alignas(cmsghdr) std::array<char, 128> control;
    iovec payload{.iov_base = buffer.data(), .iov_len = buffer.size()};
    msghdr message{};
    message.msg_iov = &payload;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = ::recvmsg(socket_.get(), &message, 0);
    if (size < 0) return heard_;
    auto advert = parse(Bytes(buffer).first(static_cast<std::size_t>(size)));
    if (!advert) continue;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_TIMESTAMPNS) continue;
      timespec stamp{};
      std::memcpy(&stamp, CMSG_DATA(header), sizeof stamp);
      advert->at = instant_of(stamp);
    }
    heard_.push_back(*advert);
  }
}

std::optional<net::Duration> Ear::handover() {
  const auto& all = heard();
  // A master that waits for its successor repeats its farewell: the first of the last row of them counts.
  const auto last = std::ranges::find(all.rbegin(), all.rend(), std::uint8_t{0}, &Advert::priority);
  if (last == all.rend()) return std::nullopt;
  auto first = last;
  for (auto it = last; it != all.rend() && (it->priority == 0 || it->source != last->source); ++it) {
    if (it->source == last->source) first = it;
  }
  const auto successor = std::find_if(first.base(), all.end(), [&](const Advert& advert) {
    return advert.priority != 0 && advert.source != first->source;
  });
  if (successor == all.end()) return std::nullopt;
  return successor->at - first->at;
}
