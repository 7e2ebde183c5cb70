#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "net/fd.h"
#include "net/loop.h"
#include "net/raw_socket.h"

namespace net {

/// A socket of a MemoryHost: what it hears waits here until it is received.
class MemorySocket final : public RawSocket {
 public:
  struct Host {
    std::function<Result<>(const Packet& packet)> on_send;  ///< carries a packet away, or says why not
    std::function<void(const MemorySocket&)> on_close;      ///< called while the socket is destroyed
  };

  /// `loop` outlives it.
  static Result<std::unique_ptr<MemorySocket>> open(Loop& loop, const Spec& wanted, OnReady on_ready, Host host);
  ~MemorySocket() override;
  MemorySocket(const MemorySocket&) = delete;
  MemorySocket& operator=(const MemorySocket&) = delete;

  Result<> send(std::span<const std::byte> payload, const Address& source, const Address& destination) override;
  void receive(int budget, const OnPacket& on_packet) override;
  [[nodiscard]] std::uint32_t dropped() const override { return dropped_; }

  [[nodiscard]] const Spec& wanted() const { return wanted_; }

  /// A packet that it hears has arrived. 1000 wait at most, others are dropped.
  void enqueue(const Packet& packet);

 private:
  struct Waiting {
    Address source;
    Address destination;
    std::uint8_t ttl;
    std::vector<std::byte> payload;
  };

  MemorySocket(Loop& loop, Spec wanted, Host host, Fd arrivals);

  Loop& loop_;
  Spec wanted_;
  Host host_;
  Fd arrivals_;  ///< readable while packets wait
  Loop::Id watch_ = 0;
  std::deque<Waiting> waiting_;
  std::uint32_t dropped_ = 0;
};

}  // namespace net
