#include "director/daemon/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>

#include "net/fd.h"
#include "scratch.h"
#include "test/catch.h"

using namespace std::chrono_literals;

namespace {

/// What a service manager listens on.
struct Socket {
  director_test::Scratch scratch;
  net::Fd fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};

  Socket() {
    const std::string path = scratch.path / "notify";
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    unsetenv("WATCHDOG_PID");
  }
  ~Socket() {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
  }

  /// Until a sender would have to wait.
  void fill() const {
    const net::Fd sender(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    while (sendto(sender.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 1) continue;
  }

  /// All that came.
  [[nodiscard]] std::string read_all() const {
    std::string all;
    char buffer[256];
    for (ssize_t got; (got = recv(fd.get(), buffer, sizeof buffer, 0)) > 0;) all.append(buffer, std::size_t(got));
    return all;
  }
};

}  // namespace

TEST_CASE("a service manager that hangs is waited for by a thread, and hears all of it when it does not") {
  const Socket socket;
  auto loop = net::Loop::create().value();
  std::string heard;
  const auto hear = [&](std::string_view what) {
    const auto limit = net::monotonic_now() + 10s;
    while (!heard.contains(what) && net::monotonic_now() < limit) {
      REQUIRE(loop.turn(10ms));
      heard += socket.read_all();
    }
    return heard.contains(what);
  };
  const auto manager = director::ServiceManager::create(loop).value();
  manager->ready("well");
  CHECK(hear("READY=1\nSTATUS=well\n"));
  heard.clear();
  CHECK(hear("WATCHDOG=1"));

  socket.fill();
  heard.clear();
  const auto began = net::monotonic_now();
  while (net::monotonic_now() - began < 500ms) REQUIRE(loop.turn(10ms));
  manager->stopping(std::chrono::seconds(30));
  CHECK(net::monotonic_now() - began < 5s);
  bool told = false;
  manager->when_told([&] { told = true; });
  while (net::monotonic_now() - began < 2s) REQUIRE(loop.turn(10ms));
  CHECK(told);
  CHECK(hear("STOPPING=1"));
}
