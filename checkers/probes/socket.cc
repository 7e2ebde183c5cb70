#include "checkers/probes/socket.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "checkers/probe.h"
#include "net/socket_address.h"

namespace checkers {
namespace {

/// Without this a datagram socket hears of a port that is unreachable, and not of a host or a network (ip(7)).
void hear_all_errors(const net::Fd& socket, net::Family family) {
  const int on = 1;
  const bool v4 = family == net::Family::ipv4;
  setsockopt(socket.get(), v4 ? SOL_IP : SOL_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
}

net::Result<net::Fd> connect_to(const net::Endpoint& target, net::Result<net::Fd> socket) {
  if (!socket) return socket;
  const net::SocketAddress address(target);
  if (::connect(socket->get(), address.get(), address.length()) == 0) return socket;
  switch (errno) {
    case EINPROGRESS:
      return socket;
    case EADDRNOTAVAIL:  // of a port: the source address was bound before
      return net::system_error(EADDRINUSE, "no free local port");
    case EPERM:
      return net::system_error(errno, "a packet filter of this host");
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EACCES:  // `prohibit`
    case EINVAL:  // `blackhole`
      return net::system_error(errno, "no route");
    default:
      return net::system_error(errno, "connect");
  }
}

}  // namespace

net::Result<net::Fd> open_socket(net::Family family, int type, int protocol, const Path& path, std::uint32_t mark) {
  const auto fail = [](std::string_view doing) { return net::system_error(errno, doing); };
  net::Fd socket(
      ::socket(family == net::Family::ipv4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (!socket) return fail("open a socket");
  const auto set = [&](int option, const void* value, std::size_t size) {
    return setsockopt(socket.get(), SOL_SOCKET, option, value, static_cast<socklen_t>(size)) == 0;
  };
  if (mark == 0) mark = path.mark;
  if (mark != 0 && !set(SO_MARK, &mark, sizeof mark)) return fail("set the mark");
  if (!path.interface.empty() && !set(SO_BINDTODEVICE, path.interface.data(), path.interface.size())) {
    return fail(fmt::format("bind to interface {}", path.interface));
  }
  if (path.source) {
    const net::SocketAddress source({.address = *path.source, .port = 0});
    if (bind(socket.get(), source.get(), source.length()) != 0) {
      return fail(fmt::format("bind to {}", to_string(*path.source)));
    }
  }
  return socket;
}

net::Result<net::Fd> connect_stream(const Path& path, std::uint32_t mark, const net::Endpoint& target) {
  auto socket = open_socket(target.address.family(), SOCK_STREAM, 0, path, mark);
  if (!socket) return socket;
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket->get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  return connect_to(target, std::move(socket));
}

net::Result<net::Fd> connect_datagram(const Path& path, std::uint32_t mark, const net::Endpoint& target) {
  auto socket = open_socket(target.address.family(), SOCK_DGRAM, 0, path, mark);
  if (socket) hear_all_errors(*socket, target.address.family());
  return connect_to(target, std::move(socket));
}

net::Result<net::Fd> connect_echo(const Path& path, std::uint32_t mark, const net::Address& target) {
  const int protocol = target.is_v4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  auto socket = open_socket(target.family(), SOCK_DGRAM, protocol, path, mark);
  if (!socket) socket = open_socket(target.family(), SOCK_RAW, protocol, path, mark);
  return connect_to({.address = target, .port = 0}, std::move(socket));
}

int connect_error(const net::Fd& socket) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

Result socket_failure(int error, std::string_view doing) {
  if (error == EPERM) return could_not_run(doing, "a packet filter of this host: Operation not permitted", error);
  if (error == ENOBUFS || error == ENOMEM) return could_not_run(doing, std::strerror(error), error);
  return failed(doing, std::strerror(error));
}

Result start_failure(const net::Error& error, std::string_view doing) {
  const bool of_target = error.code == ECONNREFUSED || error.code == ECONNRESET || error.code == ETIMEDOUT;
  return of_target ? failed(doing, std::strerror(error.code)) : could_not_run(doing, error.message, error.code);
}

}  // namespace checkers
