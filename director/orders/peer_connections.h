#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "director/orders/channel.h"
#include "director/orders/peer_transport.h"
#include "net/endpoint.h"
#include "net/loop.h"

namespace director {

/// Over TCP and TLS, in the loop's thread.
class PeerConnections final : public PeerTransport {
 public:
  static constexpr auto connect_timeout = std::chrono::milliseconds(1000);
  static constexpr auto ping_interval = retry_interval;
  /// How many that have not shown a key yet may be connected at a time.
  static constexpr std::size_t strangers_max = 16;

  /// `loop` must outlive this.
  PeerConnections(net::Loop& loop, Callbacks callbacks) : loop_(loop), callbacks_(std::move(callbacks)) {}
  ~PeerConnections() override;
  PeerConnections(const PeerConnections&) = delete;
  PeerConnections& operator=(const PeerConnections&) = delete;

  net::Result<> set(Settings settings) override;
  void stop() override;
  void pump() override;
  void close(Session session, const std::string& why) override;
  [[nodiscard]] std::string error_of(const std::string& node) const override;
  [[nodiscard]] std::string listen_error() const override { return listen_error_; }

 private:
  struct Connection {
    std::string node{};  ///< that this one connects to; empty: the other has connected
    net::Address from{};
    std::unique_ptr<Channel> channel{};
    bool open = false;
    net::Instant begun{}, heard{}, told{};
  };
  struct Dial {
    std::optional<Session> session{};
    std::string error{};
  };

  net::Result<> listen();
  void accept_some();
  void dial(const std::string& node, const net::Endpoint& target);
  net::Result<> start(Session session, net::Fd socket, Channel::Side side, Connection connection);
  void tick();
  void pump(Session session);
  void send(Session session, Connection& connection, const std::string& text);
  void ended(Session session, const std::string& why);
  [[nodiscard]] std::size_t strangers() const;

  net::Loop& loop_;
  Callbacks callbacks_;
  std::optional<Settings> settings_;
  std::optional<ChannelKeys> keys_;
  std::map<Session, Connection> connections_;
  std::vector<std::unique_ptr<Channel>> closed_;  ///< destroyed when none of their callbacks is under way
  std::map<std::string, Dial> dials_;
  net::Fd listener_;
  net::Loop::Id listener_watch_ = 0;
  std::string listen_error_;
  net::Loop::Id timer_ = 0;
  Session last_ = 0;
};

}  // namespace director
