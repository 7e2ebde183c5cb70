#include "checkers/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace checkers {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  explicit SocketAddress(const net::Endpoint& endpoint) {
    const auto bytes = endpoint.address.bytes();
    if (endpoint.address.is_v4()) {
      auto* in = reinterpret_cast<sockaddr_in*>(&storage);
      in->sin_family = AF_INET;
      in->sin_port = htons(endpoint.port);
      std::memcpy(&in->sin_addr, bytes.data(), bytes.size());
      length = sizeof *in;
    } else {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(&storage);
      in6->sin6_family = AF_INET6;
      in6->sin6_port = htons(endpoint.port);
      std::memcpy(&in6->sin6_addr, bytes.data(), bytes.size());
      length = sizeof *in6;
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

}  // namespace

net::Result<net::Fd> connect_stream(const net::Endpoint& target) {
  net::Fd socket(::socket(target.address.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return net::system_error(errno, "open a socket");
  const linger reset{.l_onoff = 1, .l_linger = 0};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0) {
    return net::system_error(errno, "set SO_LINGER");
  }
  const SocketAddress address(target);
  if (::connect(socket.get(), address.get(), address.length) != 0 && errno != EINPROGRESS) {
    return net::system_error(errno, "connect");
  }
  return socket;
}

int connect_error(const net::Fd& socket) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

Result socket_failure(int error, std::string_view doing) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case EADDRNOTAVAIL:  // no free local port, or the source address is not here
    case EADDRINUSE:
    case EAGAIN:
    case EPERM:  // a local packet filter dropped what was sent
    case EACCES:
    case EINVAL:
    case ENODEV:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
      return {.outcome = Outcome::not_run,
              .sentence = fmt::format("{}: could not be run: {}", doing, std::strerror(error))};
    default:
      return {.outcome = Outcome::failed, .sentence = fmt::format("{}: {}", doing, std::strerror(error))};
  }
}

}  // namespace checkers
