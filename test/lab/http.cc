#include "test/lab/http.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "net/socket_address.h"

namespace lab {

net::Fd start_connecting(const net::Endpoint& to, std::uint16_t source_port) {
  net::Fd socket(::socket(to.address.af(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return {};
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (source_port != 0) {
    const net::SocketAddress source({net::Address::any(to.address.family()), source_port});
    if (bind(socket.get(), source.get(), source.length()) != 0) return {};
  }
  const net::SocketAddress address(to);
  if (connect(socket.get(), address.get(), address.length()) != 0 && errno != EINPROGRESS) return {};
  return socket;
}

std::string get_request(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n";
}

std::optional<Reply> parse_reply(std::string_view bytes) {
  constexpr std::string_view version = "HTTP/1.1 ", length = "\r\nContent-Length: ", blank = "\r\n\r\n";
  const auto head_end = bytes.find(blank);
  if (head_end == std::string_view::npos || !bytes.starts_with(version)) return {};
  const auto head = bytes.substr(0, head_end);
  const auto length_at = head.find(length);
  if (length_at == std::string_view::npos) return {};

  Reply reply;
  std::size_t body_size = 0;
  std::from_chars(head.data() + version.size(), head.data() + head.size(), reply.status);
  std::from_chars(head.data() + length_at + length.size(), head.data() + head.size(), body_size);
  const auto body = bytes.substr(head_end + blank.size());
  if (body.size() < body_size) return {};
  reply.body = body.substr(0, body_size);
  return reply;
}

std::optional<Reply> get(const net::Endpoint& from, std::string_view path, net::Duration limit) {
  const auto deadline = net::monotonic_now() + limit;
  const net::Fd socket = start_connecting(from);
  if (!socket) return {};
  const auto ready = [&](short events) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - net::monotonic_now());
    pollfd wanted{.fd = socket.get(), .events = events, .revents = 0};
    return left.count() > 0 && poll(&wanted, 1, static_cast<int>(left.count())) == 1;
  };
  const std::string request = get_request(path);
  if (!ready(POLLOUT) || send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};

  std::string bytes;
  std::array<char, 65536> buffer;
  while (ready(POLLIN)) {
    const auto count = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return {};
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    if (auto reply = parse_reply(bytes)) return reply;
  }
  return {};
}

}  // namespace lab
