#include "director/engine/node_config.h"

#include <utility>

#include "vrrp/secrets.h"

namespace director {

net::Result<std::vector<vrrp::Spec>> router_specs(const config::Cluster& cluster, const config::Node& node) {
  std::vector<vrrp::Spec> specs;
  const auto in_file = [](const std::string& path, net::Error error) {
    return std::unexpected(net::Error{.code = error.code, .message = path + ": " + error.message});
  };
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
      const auto text = vrrp::read_secret(router.authentication->keys);
      if (!text) return std::unexpected(text.error());
      auto keys = vrrp::parse_keys(*text);
      if (!keys) return in_file(router.authentication->keys, keys.error());
      spec.signing = vrrp::Signing{.mode = router.authentication->mode, .keys = std::move(*keys)};
    }
  }
  return specs;
}

net::Result<NodeConfig> make_node_config(config::Cluster cluster, config::Node node) {
  auto specs = router_specs(cluster, node);
  if (!specs) return std::unexpected(specs.error());
  return NodeConfig{.cluster = std::move(cluster), .node = std::move(node), .routers = std::move(*specs)};
}

}  // namespace director
