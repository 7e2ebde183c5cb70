// Contradictions in the virtual routers' own priorities, and what the owner of addresses (RFC 9568) asks of its router.

#include <fmt/format.h>

#include "config/rules/validate.h"
#include "vrrp/spec.h"

namespace config {
namespace {

void nodes_are_known(const Cluster& cluster, const VirtualRouter& router, const Origin& origin,
                     Diagnostics& diagnostics) {
  if (!origin.valid({"nodes"})) return;
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

}  // namespace

void validate_priorities(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  if (cluster.nodes.empty()) return;
  for (const auto& router : cluster.virtual_routers) {
    diagnostics.go_on();
    if (router.priorities.empty() || !origin.valid({"vrrp", router.name, "priority"})) continue;
    nodes_are_known(cluster, router, origin, diagnostics);
    an_owner_is_master(cluster, router, origin, diagnostics);
  }
}

}  // namespace config
