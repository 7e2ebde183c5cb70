#include "test/lab/web_server.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <map>
#include <new>

#include "net/loop.h"
#include "net/socket_address.h"
#include "test/lab/http.h"

namespace lab {

namespace {

using namespace std::chrono_literals;

constexpr auto slow_tick = 50ms;
constexpr std::size_t slow_chunk = WebServer::slow_bytes_per_second / (1s / slow_tick);

/// The server's life in its process. One request a connection.
class Service {
 public:
  Service(net::Loop& loop, int listener, std::string name, WebServer::Counters& counters)
      : loop_(loop), listener_(listener), name_(std::move(name)), counters_(counters) {
    (void)loop_.watch(listener_, EPOLLIN, [this](std::uint32_t) { accept_all(); });
  }

 private:
  struct Connection {
    net::Fd socket;
    net::Loop::Id watch = 0;
    std::string received;
    std::size_t slow_left = 0;  ///< bytes of a download still to send
  };

  void accept_all() {
    for (;;) {
      net::Fd socket(accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket) return;
      const int fd = socket.get();
      const auto watch = loop_.watch(fd, EPOLLIN | EPOLLRDHUP, [this, fd](std::uint32_t) { receive(fd); });
      connections_[fd] = {.socket = std::move(socket), .watch = watch.value_or(0), .received = {}};
    }
  }

  void close(int fd) {
    loop_.unwatch(connections_.at(fd).watch);
    connections_.erase(fd);
  }

  void receive(int fd) {
    auto& connection = connections_.at(fd);
    char buffer[2048];
    const auto count = recv(fd, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return close(fd);
    connection.received.append(buffer, static_cast<std::size_t>(count));
    if (connection.received.contains("\r\n\r\n")) answer(fd, connection);
  }

  void answer(int fd, Connection& connection) {
    constexpr std::string_view slow = "GET /slow/";
    const std::string_view request = connection.received;
    if (request.starts_with(slow)) {
      ++counters_.downloads;
      std::size_t seconds = 0;
      std::from_chars(request.data() + slow.size(), request.data() + request.size(), seconds);
      connection.slow_left = seconds * WebServer::slow_bytes_per_second;
      if (!send_all(fd, head(connection.slow_left))) return close(fd);
      return trickle(fd, connection);
    }
    const bool health = request.starts_with("GET /health");
    ++(health ? counters_.health : counters_.pages);
    const std::string body = health ? "ok" : name_;
    send_all(fd, head(body.size()) + body);
    close(fd);
  }

  /// Every chunk opens with the server's name, so that a client knows at once whom it has got. A client that goes away
  /// is noticed by the next send.
  void trickle(int fd, Connection& connection) {
    std::string chunk = name_ + "\n";
    chunk.resize(std::min(slow_chunk, connection.slow_left), '.');
    if (!send_all(fd, chunk)) return close(fd);
    connection.slow_left -= chunk.size();
    if (connection.slow_left == 0) return close(fd);
    loop_.unwatch(connection.watch);  // from here on only this function closes it
    loop_.after(slow_tick, [this, fd] { trickle(fd, connections_.at(fd)); });
  }

  static std::string head(std::size_t length) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  }

  static bool send_all(int fd, std::string_view bytes) {
    return send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  net::Loop& loop_;
  int listener_;
  std::string name_;
  WebServer::Counters& counters_;
  std::map<int, Connection> connections_;
};

net::Fd listen_on(const Host& host, std::uint16_t port) {
  const Within within(host.network);
  net::Fd listener(must(socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket"));
  const int yes = 1, no = 0;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  const net::SocketAddress any({net::Address::any(net::Family::ipv6), port});
  must(bind(listener.get(), any.get(), any.length()), "bind the web server of " + host.name);
  must(listen(listener.get(), 1024), "listen");
  return listener;
}

}  // namespace

WebServer::WebServer(const Host& host, std::uint16_t port) : host_(host), port_(port) {
  void* shared = mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) throw std::bad_alloc();
  counters_ = new (shared) Counters{};
  start();
}

WebServer::~WebServer() {
  kill();
  munmap(counters_, sizeof(Counters));
}

void WebServer::start() {
  const net::Fd listener = listen_on(host_, port_);
  pid_ = must(fork(), "fork a web server");
  if (pid_ != 0) return;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(listener.get(), 3);
  close_range(4, ~0U, 0);  // or this process would hold the sockets of other threads open
  auto loop = net::Loop::create();
  if (!loop) _exit(1);
  const Service service(*loop, 3, host_.name, *counters_);
  (void)loop->run();
  _exit(1);
}

void WebServer::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void WebServer::restart() {
  kill();
  start();
}

}  // namespace lab
