// Contradictions in the virtual routers' own priorities, and what the owner of addresses (RFC 9568) asks of its router.

#include <fmt/format.h>

#include <algorithm>

#include "config/rules/validate.h"

namespace config {
namespace {

void nodes_are_known(const Cluster& cluster, const VirtualRouter& router, const Origin& origin,
                     Diagnostics& diagnostics) {
  std::vector<std::string> known;
  for (const auto& node : cluster.nodes) known.push_back(node.name);
  for (const auto& [node, priority] : router.priorities) {
    if (find_node(cluster, node) != nullptr) continue;
    diagnostics.error(origin.name_place({"vrrp", router.name, "priority", node}),
                      fmt::format("unknown node {} in 'priority' of virtual router '{}'{}", in_quotes(node),
                                  router.name, suggestion(node, known)));
  }
}

/// Its addresses are there whatever its role, so nothing takes the role from it, and nobody else has them for good.
void an_owner_is_master(const Cluster& cluster, const VirtualRouter& router, const Origin& origin,
                        Diagnostics& diagnostics) {
  std::vector<std::string> owners;
  for (const auto& node : cluster.nodes) {
    if (priority_of(router, node) == vrrp::owner_priority) owners.push_back(in_quotes(node.name));
  }
  if (owners.empty()) return;
  if (owners.size() > 1) {
    diagnostics.error(origin.place({"vrrp", router.name, "priority"}),
                      fmt::format("virtual router '{}' has priority 255 on nodes {}; expected it on one node, which "
                                  "owns the addresses",
                                  router.name, listed(owners)));
    return;
  }
  const auto error = [&](const char* key, bool given, std::string_view why) {
    const Origin::Path path = {"vrrp", router.name, key};
    if (!given || !origin.valid(path)) return;
    diagnostics.error(
        origin.name_place(path),
        fmt::format("virtual router '{}' has '{}' and priority 255 on node {}, which owns its addresses: {}",
                    router.name, key, owners.front(), why));
  };
  error("give_up_when", !router.give_up_when.empty(), "an owner cannot give up the master role");
  error("track", !router.trackers.empty(), "an owner's priority cannot be lowered");
  error("mac", router.virtual_mac, "an owner's addresses are on the interface itself");
}

/// With nat a server answers through its gateway, which has to be on the node that leads the service's address.
void gateway_is_led_alike(const Cluster& cluster, const Service& service, const Origin& origin,
                          Diagnostics& diagnostics) {
  if (service.forward != ipvs::Forward::nat || !origin.valid({"services", service.name, "forward"})) return;
  const auto& routers = cluster.virtual_routers;
  const auto of_service =
      std::ranges::find_if(routers, [&](const auto& router) { return router.has(service.key.endpoint.address); });
  if (of_service == routers.end()) return;
  const auto led_alike = [&](const VirtualRouter& router) {
    return std::ranges::all_of(
        cluster.nodes, [&](const Node& node) { return priority_of(router, node) == priority_of(*of_service, node); });
  };
  for (const auto& server : service.servers) {
    const auto is_gateway = [&](const VirtualRouter& router) {
      return std::ranges::any_of(router.addresses,
                                 [&](const auto& own) { return own.prefix.contains(server.endpoint.address); });
    };
    const auto gateway = std::ranges::find_if(routers, is_gateway);
    if (gateway == routers.end() || !origin.valid(address_path(service, server))) continue;
    if (std::ranges::any_of(routers, [&](const auto& router) { return is_gateway(router) && led_alike(router); }))
      continue;
    diagnostics.warning(
        origin.place(address_path(service, server)),
        fmt::format("{} of service '{}' is in the network of virtual router '{}', which has other priorities than '{}' "
                    "with the service's address: with nat, its answers must come back through the same node",
                    called(server), service.name, gateway->name, of_service->name));
    return;
  }
}

}  // namespace

bool priorities_are_read(const Cluster& cluster, const VirtualRouter& router, const Origin& origin) {
  return origin.valid({"vrrp", router.name, "priority"}) &&
         std::ranges::all_of(router.priorities, [&](const auto& own) {
           return find_node(cluster, own.first) != nullptr &&
                  origin.valid({"vrrp", router.name, "priority", own.first});
         });
}

void validate_priorities(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  if (cluster.nodes.empty() || !origin.valid({"nodes"}) || !origin.valid({"vrrp"})) return;
  for (const auto& router : cluster.virtual_routers) {
    diagnostics.go_on();
    if (router.priorities.empty() || !origin.valid({"vrrp", router.name, "priority"})) continue;
    nodes_are_known(cluster, router, origin, diagnostics);
    an_owner_is_master(cluster, router, origin, diagnostics);
  }
  const auto none = [](const VirtualRouter& router) { return router.priorities.empty(); };
  const auto read = [&](const VirtualRouter& router) { return priorities_are_read(cluster, router, origin); };
  if (std::ranges::all_of(cluster.virtual_routers, none) || !std::ranges::all_of(cluster.virtual_routers, read)) return;
  for (const auto& service : cluster.services) {
    diagnostics.go_on();
    gateway_is_led_alike(cluster, service, origin, diagnostics);
  }
}

}  // namespace config
