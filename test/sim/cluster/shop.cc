#include "test/sim/cluster/shop.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>

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
  made.quorum.below = made.quorum.regain = static_cast<std::uint32_t>(1 + below(servers));
  made.drain_time = below(2) == 0 ? 2s : 8s;
  for (std::size_t i = 1; i <= servers; ++i) made.servers.push_back(server(i, port, below));
  return made;
}

/// A folder of its own, as long as the program runs.
class Keys {
 public:
  Keys() {
    std::string name = (std::filesystem::temp_directory_path() / "cluster_sim.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    for (const char* file : {"keys", "others"}) {
      std::ofstream(folder_ / file) << "1 the secret of the " << file << "\n";
      chmod((folder_ / file).c_str(), 0600);
    }
  }
  ~Keys() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  [[nodiscard]] std::string path(const char* file) const { return folder_ / file; }

 private:
  std::filesystem::path folder_;
};

const Keys& keys() {
  static const Keys made;
  return made;
}

/// What each virtual router asks of the node that leads it.
void set_conditions(config::VirtualRouter& router, bool quorum, std::optional<std::uint8_t> lower) {
  if (quorum) router.give_up_when = {"web"};
  if (!lower) return;
  router.trackers = {{.name = "gateway",
                      .link = {},
                      .check = checkers::Spec{.kind = checkers::Tcp{},
                                              .interval = 300ms,
                                              .timeout = 200ms,
                                              .address = gateway().address,
                                              .port = gateway().port},
                      .lower = *lower}};
}

/// Which the last node leads, and the first is the last to: active and active.
void add_second_group(config::Cluster& cluster) {
  const auto before = cluster.virtual_routers.size();
  cluster.virtual_routers.push_back(router("front2", 53, "192.168.56.101/24", front, cluster));
  cluster.virtual_routers.push_back(router("back2", 54, "192.168.200.101/24", back, cluster));
  for (auto& made : std::span(cluster.virtual_routers).subspan(before)) {
    for (std::size_t i = 0; i < cluster.nodes.size(); ++i)
      made.priorities[cluster.nodes[i].name] = cluster.nodes[cluster.nodes.size() - 1 - i].priority;
  }
  cluster.groups.push_back({"front2", "back2"});
}

}  // namespace

const net::Endpoint& gateway() {
  static const auto made = endpoint("192.168.200.254:7");
  return made;
}

std::string keys_file() { return keys().path("keys"); }
std::string other_keys_file() { return keys().path("others"); }

config::Cluster random_shop(const Below& below) {
  config::Cluster cluster;
  cluster.name = "shop";
  const auto nodes = below(4) == 0 ? 4 + below(2) : 1 + below(3);
  for (std::size_t i = 1; i <= nodes; ++i) {
    cluster.nodes.push_back({.name = fmt::format("lb{}", i),
                             .address = net::Address::parse(fmt::format("192.168.200.{}", i)).value(),
                             .priority = static_cast<std::uint8_t>(200 - 30 * i)});
  }
  cluster.virtual_routers = {router("front", 51, "192.168.56.100/24", front, cluster),
                             router("back", 52, "192.168.200.100/24", back, cluster)};
  cluster.groups = {{"front", "back"}};
  const bool active = nodes > 1 && below(3) == 0;
  if (active) add_second_group(cluster);
  const auto advertise = below(2) == 0 ? 100ms : 1000ms;
  const bool preempt = below(3) != 0;
  const bool is_signed = below(2) == 0;
  const bool quorum = below(2) == 0;
  std::optional<std::uint8_t> lower;  // what a gateway that is lost takes; 0: the role
  if (below(2) == 0) lower = static_cast<std::uint8_t>(40 * below(2));
  for (auto& each : cluster.virtual_routers) {
    each.advertise = advertise;
    each.preempt.allowed = preempt;
    if (is_signed) each.authentication = {.keys = keys_file()};
    set_conditions(each, quorum, lower);
  }
  if (below(2) == 0) {
    auto& sync = cluster.connection_sync.emplace();
    sync.id = static_cast<std::uint8_t>(below(256));
    for (const auto& node : cluster.nodes) sync.interfaces[node.name] = back;
  } else {
    cluster.stateless_takeover = below(2) == 0;
  }
  cluster.services = {service("web", ipvs::Protocol::tcp, 80, 3, below),
                      service("dns", ipvs::Protocol::udp, 53, 2, below)};
  if (active) cluster.services.back().key.endpoint.address = net::Address::parse("192.168.56.101").value();
  auto& web = cluster.services.front().spec;
  if (cluster.stateless_takeover) {
    web.scheduler = "mh";
  } else if (below(3) == 0) {
    web.persistence = 60s;
  }
  return cluster;
}

config::Cluster edited(config::Cluster cluster, const Below& below) {
  auto& service = cluster.services[below(cluster.services.size())];
  auto& servers = service.servers;
  const auto what = below(5);
  const auto set_quorum = [&](std::size_t of) {
    service.quorum.below = service.quorum.regain = static_cast<std::uint32_t>(of);
  };
  if (what == 0 && servers.size() > 1) {
    servers.erase(servers.begin() + static_cast<std::ptrdiff_t>(below(servers.size())));
    set_quorum(std::min<std::size_t>(service.quorum.below, servers.size()));
  } else if (what == 1 && servers.size() < 6) {
    std::size_t number = 1;
    const auto taken = [&] {
      return std::ranges::any_of(servers, [&](const auto& each) { return each.name == fmt::format("w{}", number); });
    };
    while (taken()) ++number;
    servers.push_back(server(number, service.key.endpoint.port, below));
  } else if (what == 2) {
    set_quorum(1 + below(servers.size()));
  } else if (what == 3) {
    const bool none = below(3) == 0;
    for (auto& router : cluster.virtual_routers)
      router.give_up_when = none ? std::vector<std::string>{} : std::vector{service.name};
  } else {
    servers[below(servers.size())].weight = static_cast<std::uint32_t>(1 + below(9));
  }
  return cluster;
}

}  // namespace cluster_sim
