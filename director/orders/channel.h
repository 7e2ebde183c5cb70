#pragma once

#include <openssl/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "director/orders/peer_transport.h"
#include "net/error.h"
#include "net/fd.h"
#include "net/loop.h"

namespace director {

/// What all channels of a director share: TLS 1.3 (RFC 8446) with external pre-shared keys and a Diffie-Hellman
/// exchange, and neither certificates nor tickets. The keys are derived from the secrets with a label of their own, so
/// that what is signed elsewhere with the same secret tells nothing here.
class ChannelKeys {
 public:
  /// The first key begins connections, all are accepted. Error: OpenSSL cannot.
  static net::Result<ChannelKeys> create(const std::vector<ChannelKey>& keys);

  ChannelKeys(ChannelKeys&&) noexcept;
  ChannelKeys& operator=(ChannelKeys&&) noexcept;
  ~ChannelKeys();

 private:
  friend class Channel;
  struct Shared;
  explicit ChannelKeys(std::unique_ptr<Shared> shared);

  std::unique_ptr<Shared> shared_;
};

/// One TCP connection with another director that has one of our keys: texts of at most `text_max` bytes each way, each
/// after its length in four bytes (big-endian). Bounded: what was received is handed over before more is read, and more
/// is sent only when the last text has gone.
class Channel {
 public:
  static constexpr std::size_t text_max = std::size_t{64} << 10;

  /// None may destroy the channel.
  struct Callbacks {
    std::function<void()> on_open;  ///< the other has a key; texts may be sent
    std::function<void(std::string text)> on_text;
    std::function<void()> on_sent;                   ///< the last text has gone
    std::function<void(std::string why)> on_closed;  ///< told once
  };
  enum class Side : std::uint8_t { begins, accepts };

  /// `socket` is connected, or about to be. `loop` and `keys` must outlive this.
  static net::Result<std::unique_ptr<Channel>> create(net::Loop& loop, net::Fd socket, Side side,
                                                      const ChannelKeys& keys, Callbacks callbacks);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Whether a text may be sent: the last one has gone.
  [[nodiscard]] bool is_ready() const { return open_ && out_.empty(); }
  void send(const std::string& text);
  void close(std::string why);

 private:
  Channel(net::Loop& loop, net::Fd socket, Callbacks callbacks);

  void step();
  bool handshake();
  bool write();
  bool read();
  bool take_texts();
  void wait();
  /// Whether to go on after a call of OpenSSL's that returned `result`; closes where it failed.
  bool check(int result, const char* doing);

  net::Loop& loop_;
  net::Fd socket_;
  Callbacks callbacks_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  bool open_ = false, closed_ = false;
  bool wants_write_ = false;  ///< what goes on waits for room
  std::string in_, out_;
  std::size_t written_ = 0;
  net::Loop::Id watch_ = 0;
  net::Loop::Id again_ = 0;  ///< there is more to be read, without the socket saying so
};

}  // namespace director
