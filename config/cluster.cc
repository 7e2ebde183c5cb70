#include "config/cluster.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/ascii.h"
#include "net/check.h"
#include "net/utf8.h"

namespace config {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view an_interface = "every node has an interface";

/// What the kernel's synchronisation of connections needs to tell a node that returns of those there are.
constexpr auto sync_time = 3000ms;

/// What stands before the first dot of a host name.
std::string_view host_part(std::string_view name) { return name.substr(0, name.find('.')); }

}  // namespace

bool VirtualRouter::has(const net::Address& address) const {
  return std::ranges::any_of(addresses, [&](const auto& own) { return own.prefix.address == address; });
}

const Node* find_node(const Cluster& cluster, std::string_view name) {
  const auto found = std::ranges::find(cluster.nodes, name, &Node::name);
  return found == cluster.nodes.end() ? nullptr : &*found;
}

net::Result<Node> this_node(const Cluster& cluster, std::string_view asked, std::string_view host_name) {
  if (cluster.nodes.empty() && asked.empty()) return Node{.name = net::printable(host_name), .address = {}};
  if (cluster.nodes.empty()) return net::failure(fmt::format("node '{}': the cluster file has no nodes", asked));

  std::vector<std::string_view> names;
  for (const auto& node : cluster.nodes) names.push_back(node.name);
  if (!asked.empty()) {
    if (const Node* node = find_node(cluster, asked)) return *node;
    return net::failure(
        fmt::format("node '{}' is not in the cluster file; its nodes are {}", asked, fmt::join(names, ", ")));
  }
  if (const Node* node = find_node(cluster, host_name)) return *node;
  const auto same_name = [&](const Node& node) { return net::equals_ignore_case(node.name, host_name); };
  if (std::ranges::count_if(cluster.nodes, same_name) == 1) return *std::ranges::find_if(cluster.nodes, same_name);
  const auto same_host = [&](const Node& node) {
    return net::equals_ignore_case(host_part(node.name), host_part(host_name));
  };
  if (std::ranges::count_if(cluster.nodes, same_host) == 1) return *std::ranges::find_if(cluster.nodes, same_host);
  return net::failure(
      fmt::format("host '{}' is not a node of the cluster file; its nodes are {}; select one with --node",
                  net::printable(host_name), fmt::join(names, ", ")));
}

std::string peer_keys(const Cluster& cluster) {
  if (!cluster.peers.keys.empty()) return cluster.peers.keys;
  const auto signs = std::ranges::find_if(cluster.virtual_routers, [](const VirtualRouter& router) {
    return router.authentication && router.authentication->mode != vrrp::SigningMode::receive_only;
  });
  return signs == cluster.virtual_routers.end() ? "" : signs->authentication->keys;
}

std::vector<std::string> sync_group_of(const Cluster& cluster, const std::string& router) {
  const auto group = std::ranges::find_if(
      cluster.groups, [&](const auto& names) { return std::ranges::find(names, router) != names.end(); });
  return group == cluster.groups.end() ? std::vector{router} : *group;
}

std::uint8_t priority_of(const VirtualRouter& router, const Node& node) {
  const auto own = router.priorities.find(node.name);
  return own == router.priorities.end() ? node.priority : own->second;
}

vrrp::Spec spec_for(const Cluster& cluster, const VirtualRouter& router, const Node& node) {
  vrrp::Spec spec = {.name = router.name,
                     .router_id = router.router_id,
                     .interface = net::must_find(router.interfaces, node.name, an_interface),
                     .addresses = router.addresses,
                     .priority = priority_of(router, node),
                     .advertise = router.advertise,
                     .preempt = router.preempt.allowed.value_or(true),
                     .preempt_delay = router.preempt.after.value_or(cluster.connection_sync ? sync_time : 0ms),
                     .peer_priorities = {},
                     .peer_addresses = {},
                     .unicast = {},
                     .checksum = router.checksum,
                     .version = router.version,
                     .virtual_mac = router.virtual_mac};
  for (const auto& [route, interfaces] : router.routes) {
    spec.routes.push_back(route);
    if (!interfaces.empty()) spec.routes.back().interface = net::must_find(interfaces, node.name, an_interface);
  }
  for (const auto& other : cluster.nodes) {
    if (other.name == node.name) continue;
    spec.peer_priorities.push_back(priority_of(router, other));
    spec.peer_addresses.push_back(other.address);
  }
  if (router.unicast) spec.unicast = {.source = node.address, .peers = spec.peer_addresses};
  return spec;
}

}  // namespace config
