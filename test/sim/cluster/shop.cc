#include "test/sim/cluster/shop.h"

#include <fmt/format.h>

#include <algorithm>

#include "test/sim/cluster/world.h"

namespace cluster_sim {

namespace {

using namespace std::chrono_literals;

net::Endpoint endpoint(const std::string& text) { return net::Endpoint::parse(text).value(); }

config::Server server(std::size_t number, std::uint16_t port, const Below& below) {
  return {.name = fmt::format("w{}", number),
          .endpoint = endpoint(fmt::format("192.168.200.{}:{}", 10 + number, port)),
          .weight = static_cast<std::uint32_t>(1 + below(5))};
}

config::VirtualRouter router(const std::string& name, std::uint8_t id, const std::string& address,
                             const char* interface, const config::Cluster& cluster) {
  config::VirtualRouter made;
  made.name = name;
  made.router_id = id;
  for (const auto& node : cluster.nodes) made.interfaces[node.name] = interface;
  made.addresses.emplace_back(net::Prefix::parse(address).value());
  return made;
}

config::Service service(const std::string& name, ipvs::Protocol protocol, std::uint16_t port, std::size_t servers,
                        const Below& below) {
  config::Service made;
  made.name = name;
  made.key = {.protocol = protocol, .endpoint = endpoint(fmt::format("192.168.56.100:{}", port)), .fwmark = 0};
  made.spec.scheduler = below(2) == 0 ? "wrr" : "wlc";
  made.checks = {{.kind = checkers::Tcp{}, .interval = 300ms, .timeout = 200ms}};
  if (below(2) == 0) made.checks.front().pending_interval = 250ms;
  if (below(3) == 0) made.on_failure = config::OnFailure::remove;
  made.quorum.regain = made.quorum.below;
  made.drain_time = 2s;
  for (std::size_t i = 1; i <= servers; ++i) made.servers.push_back(server(i, port, below));
  return made;
}

}  // namespace

config::Cluster random_shop(const Below& below) {
  config::Cluster cluster;
  cluster.name = "shop";
  const auto nodes = 1 + below(3);
  for (std::size_t i = 1; i <= nodes; ++i) {
    cluster.nodes.push_back({.name = fmt::format("lb{}", i),
                             .address = net::Address::parse(fmt::format("192.168.200.{}", i)).value(),
                             .priority = static_cast<std::uint8_t>(200 - 50 * i)});
  }
  cluster.virtual_routers = {router("front", 51, "192.168.56.100/24", front, cluster),
                             router("back", 52, "192.168.200.100/24", back, cluster)};
  const auto advertise = below(2) == 0 ? 100ms : 1000ms;
  const bool preempt = below(3) != 0;
  for (auto& each : cluster.virtual_routers) {
    each.advertise = advertise;
    each.preempt.allowed = preempt;
  }
  cluster.groups = {{"front", "back"}};
  cluster.services = {service("web", ipvs::Protocol::tcp, 80, 3, below),
                      service("dns", ipvs::Protocol::udp, 53, 2, below)};
  return cluster;
}

config::Cluster edited(config::Cluster cluster, const Below& below) {
  auto& service = cluster.services[below(cluster.services.size())];
  auto& servers = service.servers;
  const auto what = below(3);
  if (what == 0 && servers.size() > 1) {
    servers.erase(servers.begin() + static_cast<std::ptrdiff_t>(below(servers.size())));
  } else if (what == 1 && servers.size() < 6) {
    std::size_t number = 1;
    const auto taken = [&] {
      return std::ranges::any_of(servers, [&](const auto& each) { return each.name == fmt::format("w{}", number); });
    };
    while (taken()) ++number;
    servers.push_back(server(number, service.key.endpoint.port, below));
  } else {
    servers[below(servers.size())].weight = static_cast<std::uint32_t>(1 + below(9));
  }
  return cluster;
}

}  // namespace cluster_sim
