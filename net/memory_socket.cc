#include "net/memory_socket.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <utility>

namespace net {

namespace {

constexpr std::size_t most_waiting = 1000;
constexpr std::uint8_t hop_limit_of_all = 255;

}  // namespace

MemorySocket::MemorySocket(Loop& loop, Spec wanted, Host host, Fd arrivals)
    : loop_(loop), wanted_(std::move(wanted)), host_(std::move(host)), arrivals_(std::move(arrivals)) {}

MemorySocket::~MemorySocket() {
  loop_.unwatch(watch_);
  host_.on_close(*this);
}

Result<std::unique_ptr<MemorySocket>> MemorySocket::open(Loop& loop, const Spec& wanted, OnReady on_ready, Host host) {
  Fd arrivals(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!arrivals) return system_error(errno, "open a " + wanted.name + " socket");
  const int fd = arrivals.get();
  std::unique_ptr<MemorySocket> socket(new MemorySocket(loop, wanted, std::move(host), std::move(arrivals)));
  if (wanted.use == Use::send_multicast) return socket;
  auto watch = loop.watch(fd, EPOLLIN, [ready = std::move(on_ready)](std::uint32_t) mutable { ready(); });
  if (!watch) return std::unexpected(watch.error());
  socket->watch_ = *watch;
  return socket;
}

Result<> MemorySocket::send(std::span<const std::byte> payload, const Address& source, const Address& destination) {
  return host_.on_send({.source = source, .destination = destination, .ttl = hop_limit_of_all, .payload = payload});
}

void MemorySocket::enqueue(const Packet& packet) {
  if (waiting_.size() == most_waiting) {
    ++dropped_;
    return;
  }
  if (waiting_.empty()) eventfd_write(arrivals_.get(), 1);
  waiting_.push_back({.source = packet.source,
                      .destination = packet.destination,
                      .ttl = packet.ttl,
                      .payload = {packet.payload.begin(), packet.payload.end()}});
}

void MemorySocket::receive(int budget, const OnPacket& on_packet) {
  for (; budget > 0 && !waiting_.empty(); --budget) {
    const Waiting packet = std::move(waiting_.front());
    waiting_.pop_front();
    if (waiting_.empty()) {
      eventfd_t count = 0;
      eventfd_read(arrivals_.get(), &count);
    }
    on_packet(
        {.source = packet.source, .destination = packet.destination, .ttl = packet.ttl, .payload = packet.payload});
  }
}

}  // namespace net
