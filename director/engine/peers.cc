#include "director/engine/peers.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "net/version.h"

namespace director {
namespace {

using nlohmann::ordered_json;

/// Why nothing is known of a node that has said nothing.
std::string why_unknown(const config::Cluster& cluster, bool dry_run) {
  if (dry_run) return "a dry run contacts nobody";
  const bool routers_sign = std::ranges::any_of(cluster.virtual_routers, [](const config::VirtualRouter& router) {
    return router.authentication && router.authentication->mode != vrrp::SigningMode::receive_only;
  });
  return routers_sign ? "nothing received from it" : "advertisements are not signed";
}

}  // namespace

void Peers::set_own(const config::Node& node, const vrrp::Digest& files) {
  agreement_.set_own({.node = node.name, .version = std::string(net::version()), .files = files}, loop_.now());
  report_notices();
}

void Peers::update_peer(const vrrp::Identity& other, const net::Address& from) {
  agreement_.update_peer(other, from, loop_.now());
  report_notices();
}

void Peers::report_notices() {
  loop_.cancel(std::exchange(timer_, 0));
  for (const auto& notice : agreement_.take_notices(loop_.now())) {
    log_.add(events::node_agreement(notice.node, notice.differs, notice.text));
  }
  if (const auto due = agreement_.deadline()) timer_ = loop_.at(*due, [this] { report_notices(); });
}

NodeNames Peers::names(const config::Cluster& cluster) const {
  NodeNames names;
  for (const auto& [node, other] : agreement_.others()) {
    if (config::find_node(cluster, node) == nullptr) continue;
    for (const auto& address : other.addresses) names[address] = node;
  }
  for (const auto& node : cluster.nodes) names[node.address] = node.name;
  return names;
}

std::vector<Problem> Peers::problems() const {
  std::vector<Problem> all;
  for (const auto& [node, other] : agreement_.others()) {
    if (!other.reported) continue;
    all.push_back(
        {EventKind::node_differs, "node " + node, fmt::format("node {} {}", node, agreement_.difference(other))});
  }
  return all;
}

ordered_json Peers::status(const config::Cluster& cluster, bool dry_run) const {
  ordered_json all = ordered_json::array();
  const auto& others = agreement_.others();
  for (const auto& node : cluster.nodes) {
    if (node.name == own().node || others.contains(node.name)) continue;
    all.push_back({{"node", node.name}, {"agreement", "unknown"}, {"reason", why_unknown(cluster, dry_run)}});
  }
  for (const auto& [node, other] : others) {
    const auto difference = agreement_.difference(other);
    const auto heard = std::chrono::duration_cast<std::chrono::milliseconds>(loop_.now() - other.heard);
    all.push_back({{"node", node},
                   {"agreement", difference.empty() ? "same" : "differs"},
                   {"reason", difference.empty() ? "the same cluster file and program" : difference},
                   {"address", net::to_string(other.address)},
                   {"version", other.identity.version},
                   {"files", to_string(other.identity.files)},
                   {"heard_ms", heard.count()}});
  }
  return all;
}

}  // namespace director
