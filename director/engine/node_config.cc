#include "director/engine/node_config.h"

#include <utility>

#include "vrrp/secrets.h"

namespace director {
namespace {

std::unexpected<net::Error> in_file(const std::string& path, const net::Error& error) {
  return std::unexpected(net::Error{.code = error.code, .message = path + ": " + error.message});
}

net::Result<std::vector<vrrp::Key>> read_keys(const std::string& path) {
  const auto text = vrrp::read_secret(path);
  if (!text) return std::unexpected(text.error());
  auto keys = vrrp::parse_keys(*text);
  if (!keys) return in_file(path, keys.error());
  return keys;
}

}  // namespace

net::Result<std::vector<vrrp::Spec>> router_specs(const config::Cluster& cluster, const config::Node& node) {
  std::vector<vrrp::Spec> specs;
  for (const auto& router : cluster.virtual_routers) {
    auto& spec = specs.emplace_back(config::spec_for(cluster, router, node));
    if (!router.password_file.empty()) {
      const auto text = vrrp::read_secret(router.password_file);
      if (!text) return std::unexpected(text.error());
      auto password = vrrp::parse_password(*text);
      if (!password) return in_file(router.password_file, password.error());
      spec.password = std::move(*password);
    }
    if (router.authentication) {
      auto keys = read_keys(router.authentication->keys);
      if (!keys) return std::unexpected(keys.error());
      spec.signing = vrrp::Signing{.mode = router.authentication->mode, .keys = std::move(*keys)};
    }
  }
  return specs;
}

net::Result<std::vector<vrrp::Key>> read_peer_keys(const config::Cluster& cluster) {
  const auto file = config::peer_keys(cluster);
  if (file.empty() || cluster.nodes.size() < 2) return std::vector<vrrp::Key>();
  return read_keys(file);
}

net::Result<NodeConfig> make_node_config(config::Cluster cluster, config::Node node) {
  auto specs = router_specs(cluster, node);
  if (!specs) return std::unexpected(specs.error());
  auto keys = read_peer_keys(cluster);
  if (!keys) return std::unexpected(keys.error());
  return NodeConfig{.cluster = std::move(cluster),
                    .node = std::move(node),
                    .routers = std::move(*specs),
                    .peer_keys = std::move(*keys)};
}

}  // namespace director
