// What the director knows of the cluster's other directors.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "director/engine/director.h"
#include "net/version.h"

namespace director {
namespace {

using nlohmann::ordered_json;

/// Why nothing is known of a node that has said nothing.
std::string why_unknown(const config::Cluster& cluster, bool dry_run) {
  if (dry_run) return "a dry run speaks to nobody";
  const bool routers_sign = std::ranges::any_of(cluster.virtual_routers, [](const config::VirtualRouter& router) {
    return router.authentication && router.authentication->mode != vrrp::SigningMode::receive_only;
  });
  return routers_sign ? "it has not been heard" : "adverts are not signed";
}

}  // namespace

void Director::introduce() {
  agreement_.set_own(
      {.node = options_.node.name, .version = std::string(net::version()), .files = cluster_.fingerprint}, loop_.now());
  routers_.introduce(agreement_.own());
  look_at_agreement();
}

void Director::on_met(const vrrp::Identity& other, const net::Address& from) {
  agreement_.hear(other, from, loop_.now());
  look_at_agreement();
}

void Director::look_at_agreement() {
  loop_.cancel(std::exchange(agreement_timer_, 0));
  for (const auto& word : agreement_.news(loop_.now()))
    log_.add(events::node_agreement(word.node, word.differs, word.text));
  if (const auto due = agreement_.deadline()) agreement_timer_ = loop_.at(*due, [this] { look_at_agreement(); });
}

/// By the file's addresses, and by those that they have made themselves known from, which may be of other networks.
NodeNames Director::node_names() const {
  NodeNames names;
  for (const auto& [node, other] : agreement_.others()) {
    if (config::find_node(cluster_, node) == nullptr) continue;
    for (const auto& address : other.addresses) names[address] = node;
  }
  for (const auto& node : cluster_.nodes) names[node.address] = node.name;
  return names;
}

/// Those of the cluster file, and whoever else has a key.
ordered_json Director::nodes_status() const {
  ordered_json all = ordered_json::array();
  const auto& others = agreement_.others();
  for (const auto& node : cluster_.nodes) {
    if (node.name == options_.node.name || others.contains(node.name)) continue;
    all.push_back({{"node", node.name}, {"agreement", "unknown"}, {"reason", why_unknown(cluster_, options_.dry_run)}});
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
