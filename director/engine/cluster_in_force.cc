#include "director/engine/cluster_in_force.h"

#include <algorithm>
#include <set>
#include <utility>

#include "net/check.h"

namespace director {

ClusterInForce::ClusterInForce(config::Cluster cluster, config::Node node) {
  const auto all = differences(cluster);
  replace(std::move(cluster), std::move(node), all);
}

ClusterInForce::Differences ClusterInForce::differences(const config::Cluster& next) const {
  Differences differences;
  std::set<ipvs::ServiceKey> named;
  for (const auto& service : next.services) {
    named.insert(service.key);
    const auto* known = find(service.key);
    if (known == nullptr || *known != service) differences.changed.push_back(service.key);
  }
  for (const auto& [key, place] : places_) {
    if (!named.contains(key)) differences.gone.push_back(key);
  }
  return differences;
}

void ClusterInForce::replace(config::Cluster next, config::Node node, const Differences& differences) {
  for (const auto& service : differences.gone) places_.erase(service);
  for (std::size_t s = 0; s < next.services.size(); ++s) places_[next.services[s].key].service = s;
  net::check(places_.size() == next.services.size(), "no two services of a cluster file have the same address");
  for (const auto& key : differences.changed) {
    auto& place = net::must_find(places_, key, "a service that differs is in the new cluster file");
    place.servers.clear();
    const auto& servers = next.services[place.service].servers;
    for (std::size_t i = 0; i < servers.size(); ++i) place.servers[servers[i].endpoint] = i;
  }
  cluster_ = std::make_shared<const config::Cluster>(std::move(next));
  node_ = std::move(node);
}

const config::Service* ClusterInForce::find(const ipvs::ServiceKey& key) const {
  const auto found = places_.find(key);
  return found == places_.end() ? nullptr : &cluster_->services[found->second.service];
}

const config::Service* ClusterInForce::find(std::string_view service) const {
  const auto found = std::ranges::find(cluster_->services, service, &config::Service::name);
  return found == cluster_->services.end() ? nullptr : &*found;
}

const config::Server* ClusterInForce::find(const ServerKey& key) const {
  const auto place = places_.find(key.service);
  if (place == places_.end()) return nullptr;
  const auto found = place->second.servers.find(key.server);
  return found == place->second.servers.end() ? nullptr
                                              : &cluster_->services[place->second.service].servers[found->second];
}

const config::Service& ClusterInForce::at(const ipvs::ServiceKey& key) const {
  return net::must_exist(find(key), "the service is in the cluster file");
}

const config::Server& ClusterInForce::at(const ServerKey& key) const {
  return net::must_exist(find(key), "the server is in the cluster file");
}

std::optional<ServerKey> ClusterInForce::find(std::string_view service, std::string_view server) const {
  const auto* in = find(service);
  if (in == nullptr) return std::nullopt;
  const auto found = std::ranges::find(in->servers, server, &config::Server::name);
  if (found == in->servers.end()) return std::nullopt;
  return ServerKey{.service = in->key, .server = found->endpoint};
}

std::optional<ipvs::ServiceKey> ClusterInForce::after(const std::optional<ipvs::ServiceKey>& key) const {
  const auto next = key ? places_.upper_bound(*key) : places_.begin();
  return next == places_.end() ? std::nullopt : std::optional(next->first);
}

std::string ClusterInForce::name_of(const ServerKey& key) const { return at(key.service).name + "/" + at(key).name; }

}  // namespace director
