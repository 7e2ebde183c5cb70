#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "net/endpoint.h"
#include "net/fd.h"

/// A TCP port on 127.0.0.1, of the kernel's choosing and nobody else's while this lives.
struct Port {
  net::Fd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  net::Endpoint endpoint{.address = *net::Address::parse("127.0.0.1"), .port = 0};

  Port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    bool good = bind(fd.get(), generic, length) == 0 && getsockname(fd.get(), generic, &length) == 0;
    // Bound once more by its number: a port of the kernel's choosing would be given up by shutdown().
    fd = net::Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    good = good && bind(fd.get(), generic, length) == 0;
    if (!good) throw std::runtime_error("no port on loopback");
    endpoint.port = ntohs(address.sin_port);
  }
};

/// A port that accepts connections; one that does not refuses them.
struct Listener : Port {
  explicit Listener(int backlog = SOMAXCONN) { start(backlog); }
  void start(int backlog = SOMAXCONN) const { listen(fd.get(), backlog); }
  void stop() const { shutdown(fd.get(), SHUT_RD); }
};

/// One accepted connection of a scripted server. Every call ends early once the server stops.
class Peer {
 public:
  Peer(net::Fd socket, int stop) : socket_(std::move(socket)), stop_(stop) {}

  /// The next bytes, at most 4096; empty at the end, `error()` says how it ended.
  std::string read() {
    if (!wait(POLLIN, -1)) return {};
    char buffer[4096];
    const auto count = recv(socket_.get(), buffer, sizeof buffer, 0);
    error_ = count < 0 ? errno : 0;
    return {buffer, count > 0 ? static_cast<std::size_t>(count) : 0};
  }

  /// False once the other side or the server is gone.
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!wait(POLLOUT, -1)) return false;
      const auto count = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0 && errno != EAGAIN) return false;
      if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// Lets time pass; false once the server stops.
  bool pause(int ms) {
    pollfd stop{.fd = stop_, .events = POLLIN, .revents = 0};
    return poll(&stop, 1, ms) == 0;
  }

  /// Says nothing until the other side is gone.
  void hold() {
    while (!read().empty()) {
    }
  }

  /// From now on closing sends a RST.
  void reset_on_close() {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }

  [[nodiscard]] int error() const { return error_; }

 private:
  bool wait(short events, int ms) {
    pollfd both[] = {{.fd = socket_.get(), .events = events, .revents = 0},
                     {.fd = stop_, .events = POLLIN, .revents = 0}};
    return poll(both, 2, ms) > 0 && both[1].revents == 0;
  }

  net::Fd socket_;
  int stop_;
  int error_ = 0;
};

/// Accepts on loopback and plays a script to every connection, each in a thread of its own, until it is destroyed.
class Server {
 public:
  using Script = std::function<void(Peer&)>;

  explicit Server(Script script) : script_(std::move(script)), acceptor_([this] { accept_all(); }) {}
  ~Server() {
    eventfd_write(stop_.get(), 1);
    acceptor_.join();
    connections_.clear();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const net::Endpoint& endpoint() const { return listener_.endpoint; }

 private:
  void accept_all() {
    pollfd both[] = {{.fd = listener_.fd.get(), .events = POLLIN, .revents = 0},
                     {.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    while (poll(both, 2, -1) > 0 && both[1].revents == 0) {
      net::Fd socket(accept4(listener_.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) continue;
      connections_.emplace_back([this, fd = std::move(socket)]() mutable {
        Peer peer(std::move(fd), stop_.get());
        script_(peer);
      });
    }
  }

  Listener listener_;
  net::Fd stop_{eventfd(0, EFD_CLOEXEC)};
  Script script_;
  std::list<std::jthread> connections_;
  std::thread acceptor_;
};
