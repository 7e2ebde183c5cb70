// A server that returns warms up, whatever its failure did to its place in the table.

#include <netinet/in.h>
#include <sys/socket.h>

#include "director/engine/engine.h"
#include "ipvs/memory_kernel.h"
#include "net/fd.h"
#include "net/kernel_host.h"
#include "shop.h"
#include "test/catch.h"

using namespace std::chrono_literals;

namespace {

/// A server of ours, on a port of loopback; another of it stands on the same port.
net::Fd listen_on(std::uint16_t& port) {
  net::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0);
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(fd.get(), 16) == 0);
  REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

TEST_CASE("a server that returns warms up, whether its failure left it in the table or not") {
  const auto on_failure = GENERATE(config::OnFailure::drain, config::OnFailure::remove);
  std::uint16_t port = 0;
  std::optional<net::Fd> server = listen_on(port);
  const net::Endpoint endpoint{.address = net::Address::parse("127.0.0.1").value(), .port = port};
  auto cluster = director_test::shop();
  auto& web = cluster.services[0];
  web.servers = {{.name = "web1", .endpoint = endpoint, .weight = 1000}};
  web.checks = {{.kind = checkers::Tcp{}, .interval = 20ms, .timeout = 10s, .thresholds = {.rise = 1, .fall = 1}}};
  web.on_failure = on_failure;
  web.slow_start = 1s;

  net::Loop loop = net::Loop::create().value();
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine director(loop, kernel, host, cluster,
                            {.node = director_test::lb1(), .state_file = {}, .dry_run = true});
  REQUIRE(director.start());
  const auto weight = [&]() -> std::uint32_t {
    const auto& held = kernel.table.at(web.key).destinations;
    const auto found = held.find({.endpoint = endpoint});
    return found == held.end() ? 0 : found->second.destination.weight;
  };
  const auto until = [&](auto holds) {
    const auto limit = net::monotonic_now() + 20s;
    while (!holds() && net::monotonic_now() < limit) REQUIRE(loop.turn(10ms));
    return holds();
  };
  REQUIRE(until([&] { return weight() == 1000; }));
  server.reset();
  REQUIRE(until([&] { return weight() == 0; }));
  CHECK(kernel.table.at(web.key).destinations.empty() == (on_failure == config::OnFailure::remove));
  server = listen_on(port);
  REQUIRE(until([&] { return weight() > 0; }));
  CHECK(weight() < 1000);
  CHECK(until([&] { return weight() == 1000; }));
}
