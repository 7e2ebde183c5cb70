#include "director/engine/cluster_from_kernel.h"

namespace director {
namespace {

config::Server seen(const ipvs::DestinationKey& key, const ipvs::Destination& held) {
  return {.name = net::to_string(key.endpoint),
          .endpoint = key.endpoint,
          .weight = held.weight,
          .upper_threshold = held.upper_threshold,
          .lower_threshold = held.lower_threshold};
}

config::Service seen(const ipvs::ServiceStatus& held, config::Service service) {
  service.spec = held.service;
  auto others = held.destinations;
  std::erase_if(service.servers, [&](config::Server& server) {
    const auto found = others.extract({.endpoint = server.endpoint});
    if (found.empty()) return true;
    const auto& destination = found.mapped().destination;
    service.forward = destination.forward;
    service.tunnel = destination.tunnel;
    const bool weighed = destination.weight != 0 && !server.fallback;
    if (weighed) server.weight = destination.weight;
    server.upper_threshold = destination.upper_threshold;
    server.lower_threshold = destination.lower_threshold;
    return false;
  });
  for (const auto& [key, other] : others) service.servers.push_back(seen(key, other.destination));
  return service;
}

}  // namespace

config::Cluster cluster_from_kernel(const ipvs::Snapshot& table, const config::Cluster& file) {
  config::Cluster cluster = file;
  cluster.services.clear();
  for (const auto& service : file.services) {
    const auto held = table.find(service.key);
    if (held != table.end()) cluster.services.push_back(seen(held->second, service));
  }
  return cluster;
}

}  // namespace director
