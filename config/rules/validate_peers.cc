#include "config/cluster.h"
#include "config/rules/validate.h"

namespace config {

void validate_peers(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  const bool is_alone = cluster.nodes.size() < 2 || cluster.virtual_routers.empty();
  if (is_alone || !peer_keys(cluster).empty()) return;
  diagnostics.warning(origin.name_place({"nodes"}),
                      "the nodes have no keys in common: operators' drains and weights stay on the node that was told; "
                      "make a file with 'directorctl keygen FILE' and add 'peers: { keys: FILE }'");
}

}  // namespace config
