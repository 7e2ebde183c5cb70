#pragma once

#include <vector>

#include "config/cluster.h"
#include "net/error.h"
#include "vrrp/spec.h"

namespace director {

/// What a cluster file says for one node, with what it only names: the files of keys and passwords are read.
struct NodeConfig {
  config::Cluster cluster;
  config::Node node;
  std::vector<vrrp::Spec> routers{};   ///< of this node, in the file's order; none for a dry run
  std::vector<vrrp::Key> peer_keys{};  ///< for the connections with the other directors; none: there are none
};

/// All read secrets from the disk: to be called where waiting is no harm. Error: one cannot be read, or is none.
[[nodiscard]] net::Result<std::vector<vrrp::Spec>> router_specs(const config::Cluster& cluster,
                                                                const config::Node& node);
[[nodiscard]] net::Result<std::vector<vrrp::Key>> read_peer_keys(const config::Cluster& cluster);
[[nodiscard]] net::Result<NodeConfig> make_node_config(config::Cluster cluster, config::Node node);

}  // namespace director
