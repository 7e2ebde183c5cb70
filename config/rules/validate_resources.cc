// Contradictions in the units that follow the role.

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "config/rules/validate.h"

namespace config {
namespace {

/// The packaged unit, which would stop itself.
constexpr std::string_view own_unit = "directord.service";

/// Where the file has the unit's name.
Origin::Path unit_path(const Origin& origin, const VirtualRouter& router, std::size_t index) {
  Origin::Path path = {"vrrp", router.name, "resources", std::to_string(index)};
  auto in_map = path;
  in_map.emplace_back("unit");
  return origin.has(in_map) ? in_map : path;
}

/// Its addresses are there whatever its role.
void no_owner(const Cluster& cluster, const VirtualRouter& router, const Origin& origin, Diagnostics& diagnostics) {
  const auto owner = std::ranges::find_if(
      cluster.nodes, [&](const Node& node) { return priority_of(router, node) == vrrp::owner_priority; });
  if (owner == cluster.nodes.end()) return;
  diagnostics.error(origin.name_place({"vrrp", router.name, "resources"}),
                    fmt::format("virtual router '{}' has 'resources' and priority 255 on node '{}', which owns its "
                                "addresses: an owner cannot give up the master role",
                                router.name, owner->name));
}

}  // namespace

void validate_resources(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  std::map<std::string, Origin::Path> seen;
  for (const auto& router : cluster.virtual_routers) {
    if (router.resources.empty() || !origin.valid({"vrrp", router.name, "resources"})) continue;
    diagnostics.go_on();
    no_owner(cluster, router, origin, diagnostics);
    for (std::size_t i = 0; i < router.resources.size(); ++i) {
      const auto& unit = router.resources[i].unit;
      const auto path = unit_path(origin, router, i);
      if (!origin.valid(path)) continue;
      const auto place = origin.place(path);
      const auto [before, is_new] = seen.emplace(unit, path);
      if (unit == own_unit) {
        diagnostics.error(place, fmt::format("'{}' in virtual router '{}' is directord's own unit", unit, router.name));
      } else if (!is_new) {
        diagnostics.error(place, fmt::format("unit '{}' in virtual router '{}' is already a resource ({})", unit,
                                             router.name, origin.line(before->second, place)));
      }
    }
  }
}

}  // namespace config
