#include "director/orders/peer_connections.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/socket_address.h"

namespace director {
namespace {

constexpr int backlog = 16;
constexpr int accepts_a_turn = 16;

/// A stream socket bound to `own`, which this host may not have yet.
net::Result<net::Fd> open_socket(const net::Endpoint& own) {
  const auto doing = fmt::format("bind to {}", to_string(own));
  net::Fd socket(::socket(own.address.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return net::system_error(errno, "open a TCP socket");
  const int on = 1;
  const bool v4 = own.address.is_v4();
  setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (own.port != 0) setsockopt(socket.get(), v4 ? SOL_IP : SOL_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof on);
  const net::SocketAddress address(own);
  if (bind(socket.get(), address.get(), address.length()) != 0) return net::system_error(errno, doing);
  return socket;
}

}  // namespace

PeerConnections::~PeerConnections() { stop(); }

net::Result<> PeerConnections::set(Settings settings) {
  if (settings_ == settings) return {};
  if (!settings_ || settings_->keys != settings.keys) {
    auto keys = ChannelKeys::create(settings.keys);
    if (!keys) return std::unexpected(keys.error());
    stop();
    keys_ = std::move(*keys);
  } else {
    const bool moved = settings_->own != settings.own || settings_->node != settings.node;
    std::vector<Session> outdated;
    for (const auto& [session, connection] : connections_) {
      const auto other = settings.others.find(connection.node);
      const bool goes_on = connection.node.empty() ||
                           (other != settings.others.end() && settings_->others.at(connection.node) == other->second);
      if (moved || !goes_on) outdated.push_back(session);
    }
    for (const auto session : outdated) close(session, "the cluster file has changed");
    if (moved) {
      loop_.unwatch(std::exchange(listener_watch_, 0));
      listener_ = {};
    }
  }
  settings_ = std::move(settings);
  std::erase_if(dials_, [this](const auto& entry) { return !settings_->others.contains(entry.first); });
  loop_.cancel(timer_);
  tick();
  return {};
}

void PeerConnections::stop() {
  loop_.cancel(std::exchange(timer_, 0));
  loop_.unwatch(std::exchange(listener_watch_, 0));
  listener_ = {};
  while (!connections_.empty()) close(connections_.begin()->first, "stopped");
  dials_.clear();
  closed_.clear();
  settings_.reset();
}

net::Result<> PeerConnections::listen() {
  auto socket = open_socket(settings_->own);
  if (!socket) return std::unexpected(socket.error());
  if (::listen(socket->get(), backlog) != 0)
    return net::system_error(errno, fmt::format("listen on {}", to_string(settings_->own)));
  auto watch = loop_.watch(socket->get(), EPOLLIN, [this](std::uint32_t) { accept_some(); });
  if (!watch) return std::unexpected(watch.error());
  listener_ = std::move(*socket);
  listener_watch_ = *watch;
  return {};
}

std::size_t PeerConnections::strangers() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [](const auto& entry) { return !entry.second.open && entry.second.node.empty(); }));
}

/// Only nodes of the cluster file are let in, and few at a time that have no key.
void PeerConnections::accept_some() {
  for (int i = 0; i < accepts_a_turn; ++i) {
    net::SocketAddress from;
    net::Fd socket(accept4(listener_.get(), from.get(), from.room(), SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return;
    const auto other = from.endpoint();
    const bool is_node = other && std::ranges::any_of(settings_->others, [&](const auto& node) {
                           return node.second.address == other->address;
                         });
    if (!is_node || strangers() >= strangers_max) continue;
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // An error is this host's own, and the other tries again.
    (void)start(++last_, std::move(socket), Channel::Side::accepts, {.from = other->address});
  }
}

void PeerConnections::dial(const std::string& node, const net::Endpoint& target) {
  auto& dial = dials_[node];
  auto socket = open_socket({.address = settings_->own.address, .port = 0});
  if (!socket) {
    dial.error = socket.error().message;
    return;
  }
  const net::SocketAddress address(target);
  if (connect(socket->get(), address.get(), address.length()) != 0 && errno != EINPROGRESS) {
    dial.error = net::system_error(errno, fmt::format("connect to {}", to_string(target))).error().message;
    return;
  }
  const Session session = ++last_;
  const auto started =
      start(session, std::move(*socket), Channel::Side::begins, {.node = node, .from = target.address});
  if (started) {
    dial.session = session;
  } else {
    dial.error = started.error().message;
  }
}

net::Result<> PeerConnections::start(Session session, net::Fd socket, Channel::Side side, Connection connection) {
  Channel::Callbacks callbacks{
      .on_open =
          [this, session] {
            auto& opened = connections_.at(session);
            opened.open = true;
            opened.heard = loop_.now();
            callbacks_.on_open(session);
            pump(session);
          },
      .on_text =
          [this, session](std::string text) {
            const auto found = connections_.find(session);
            if (found == connections_.end()) return;
            found->second.heard = loop_.now();
            const auto node = found->second.node;
            if (const auto taken = callbacks_.on_text(session, node, std::move(text)); !taken)
              return close(session, taken.error().message);
            pump(session);
          },
      .on_sent = [this, session] { pump(session); },
      .on_closed = [this, session](const std::string& why) { ended(session, why); },
  };
  auto channel = Channel::create(loop_, std::move(socket), side, *keys_, std::move(callbacks));
  if (!channel) return std::unexpected(channel.error());
  connection.channel = std::move(*channel);
  connection.begun = loop_.now();
  connections_.emplace(session, std::move(connection));
  return {};
}

/// Each `ping_interval`.
void PeerConnections::tick() {
  timer_ = loop_.after(ping_interval, [this] { tick(); });
  closed_.clear();
  const auto now = loop_.now();
  if (!listener_) {
    const auto listening = listen();
    listen_error_ = listening ? "" : listening.error().message;
  }
  std::vector<std::pair<Session, const char*>> late;
  for (const auto& [session, connection] : connections_) {
    if (!connection.open && now - connection.begun >= connect_timeout) late.emplace_back(session, "no answer");
    if (connection.open && now - connection.heard >= silence_max) late.emplace_back(session, "no answer any more");
  }
  for (const auto& [session, why] : late) close(session, why);
  for (const auto& [node, target] : settings_->others) {
    if (settings_->node < node && !dials_[node].session) dial(node, target);
  }
  std::vector<Session> open;
  for (const auto& [session, connection] : connections_) {
    if (connection.open) open.push_back(session);
  }
  for (const auto session : open) {
    pump(session);
    const auto found = connections_.find(session);
    if (found == connections_.end() || !found->second.channel->is_ready()) continue;
    if (now - found->second.told < ping_interval) continue;
    if (const auto text = callbacks_.next_text(session, true)) send(session, found->second, *text);
  }
}

void PeerConnections::pump() {
  std::vector<Session> open;
  for (const auto& [session, connection] : connections_) {
    if (connection.open) open.push_back(session);
  }
  for (const auto session : open) pump(session);
}

void PeerConnections::pump(Session session) {
  for (;;) {
    const auto found = connections_.find(session);
    if (found == connections_.end() || !found->second.open || !found->second.channel->is_ready()) return;
    const auto text = callbacks_.next_text(session, false);
    if (!text) return;
    send(session, found->second, *text);
  }
}

void PeerConnections::send(Session session, Connection& connection, const std::string& text) {
  if (text.size() > Channel::text_max) return close(session, "a message is too long");
  connection.told = loop_.now();
  connection.channel->send(text);
}

void PeerConnections::close(Session session, const std::string& why) {
  const auto found = connections_.find(session);
  if (found != connections_.end()) found->second.channel->close(why);
}

void PeerConnections::ended(Session session, const std::string& why) {
  const auto found = connections_.find(session);
  if (found == connections_.end()) return;
  auto connection = std::move(found->second);
  connections_.erase(found);
  closed_.push_back(std::move(connection.channel));
  if (const auto dial = dials_.find(connection.node); dial != dials_.end() && dial->second.session == session) {
    dial->second.session.reset();
    dial->second.error = fmt::format("{}: {}", to_string(settings_->others.at(connection.node)), why);
  }
  if (connection.open) callbacks_.on_closed(session);
}

std::string PeerConnections::error_of(const std::string& node) const {
  const auto found = dials_.find(node);
  return found == dials_.end() ? "" : found->second.error;
}

}  // namespace director
