#include "test/lab/client.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "test/lab/http.h"
#include "test/lab/process.h"

namespace lab {

using namespace std::chrono_literals;

Tally request(const Host& client, const net::Endpoint& service, int count) {
  const Within within(client.network);
  Tally tally;
  for (int i = 0; i < count; ++i) {
    const auto reply = get(service, "/", 1s);
    if (reply && reply->status == 200)
      ++tally.by_server[reply->body];
    else
      ++tally.failed;
  }
  return tally;
}

Download::Download(const Host& client, const net::Endpoint& service, std::chrono::seconds length)
    : thread_([this, &client, service, length](const std::stop_token& stop) {
        const Within within(client.network);
        run(stop, service, length);
        ended_ = true;
      }) {}

void Download::run(const std::stop_token& stop, const net::Endpoint& service, std::chrono::seconds length) {
  const net::Fd socket = start_connecting(service);
  const auto silence = net::monotonic_now() + length + 5s;
  const auto ready = [&](short events) {
    while (socket && !stop.stop_requested() && net::monotonic_now() < silence) {
      pollfd wanted{.fd = socket.get(), .events = events, .revents = 0};
      if (poll(&wanted, 1, 50) == 1) return true;
    }
    return false;
  };
  const std::string request = get_request("/slow/" + std::to_string(length.count()));
  if (!ready(POLLOUT) || send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return;

  std::string bytes;
  std::array<char, 65536> buffer;
  while (ready(POLLIN)) {
    const auto count = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (count <= 0) return;
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
    const auto body = bytes.find("\r\n\r\n");
    const auto line_end = body == std::string::npos ? body : bytes.find('\n', body + 4);
    if (line_end != std::string::npos) {
      const std::lock_guard lock(mutex_);
      server_ = bytes.substr(body + 4, line_end - body - 4);
    }
    if (parse_reply(bytes)) {
      complete_ = true;
      return;
    }
  }
}

std::string Download::server() const {
  const std::lock_guard lock(mutex_);
  return server_;
}

}  // namespace lab
