#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/endpoint.h"
#include "net/error.h"
#include "net/loop.h"

namespace director {

/// A secret that the cluster's directors share.
struct ChannelKey {
  std::uint8_t id = 0;
  std::string secret;

  auto operator<=>(const ChannelKey&) const = default;
};

/// The connections with the cluster's other directors, kept as well as it goes: of each two nodes, the one whose name
/// comes first connects. Who is silent for `silence_max` is given up, and tried again. Tests replace it.
class PeerTransport {
 public:
  using Session = std::uint64_t;  ///< one connection; never reused

  static constexpr auto retry_interval = std::chrono::milliseconds(500);
  static constexpr auto silence_max = std::chrono::seconds(2);

  struct Callbacks {
    std::function<void(Session session)> on_open;
    /// `node`: the one that this node has connected to; empty: it was the other that did. An error closes it.
    std::function<net::Result<>(Session session, const std::string& node, std::string text)> on_text;
    std::function<void(Session session)> on_closed;
    /// The next text to be sent; nothing: there is none. `ping`: the other must hear something.
    std::function<std::optional<std::string>(Session session, bool ping)> next_text;
  };

  /// Where this node is reached, and the others.
  struct Settings {
    std::string node;
    net::Endpoint own;
    std::map<std::string, net::Endpoint> others{};
    std::vector<ChannelKey> keys{};

    bool operator==(const Settings&) const = default;
  };

  virtual ~PeerTransport() = default;

  /// Connections that the same settings would make stay. Error: the keys cannot be used, and nothing has changed.
  virtual net::Result<> set(Settings settings) = 0;
  /// Ends them all.
  virtual void stop() = 0;

  /// There may be something to be sent over all of them.
  virtual void pump() = 0;
  virtual void close(Session session, const std::string& why) = 0;

  /// Why there is no connection with a node: the last attempt's error; "" if nothing went wrong.
  [[nodiscard]] virtual std::string error_of(const std::string& node) const = 0;
  /// Why nobody can connect to this node; "" while they can.
  [[nodiscard]] virtual std::string listen_error() const = 0;
};

using MakeTransport =
    std::function<std::unique_ptr<PeerTransport>(net::Loop& loop, PeerTransport::Callbacks callbacks)>;

}  // namespace director
