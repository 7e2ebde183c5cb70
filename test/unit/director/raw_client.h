#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include "net/fd.h"

namespace director_test {

/// A client of the control socket that sends and reads just what a test says; never blocks.
class RawClient {
 public:
  explicit RawClient(const std::filesystem::path& socket)
      : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strcpy(address.sun_path, socket.c_str());
    connected_ = connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }

  [[nodiscard]] bool connected() const { return connected_; }

  /// False when the other end is closed.
  bool send(std::string_view bytes) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  /// How many of the bytes were taken; negative when the other end is closed.
  ssize_t send_some(std::string_view bytes) {
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return sent < 0 && errno == EAGAIN ? 0 : sent;
  }

  bool get(const std::string& target) { return send("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n"); }

  /// Takes what has come. True once the other end is closed.
  bool read_some() {
    std::array<char, 65536> buffer;
    ssize_t count = 0;
    while ((count = recv(fd_.get(), buffer.data(), buffer.size(), 0)) > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return count == 0 || errno != EAGAIN;
  }

  [[nodiscard]] const std::string& received() const { return received_; }

  /// Of the answer; 0 before its first line has come.
  [[nodiscard]] int status() const {
    constexpr std::string_view version = "HTTP/1.1 ";
    return received_.starts_with(version) ? std::atoi(received_.c_str() + version.size()) : 0;
  }

 private:
  net::Fd fd_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace director_test
