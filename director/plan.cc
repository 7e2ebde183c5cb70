#include "director/plan.h"

#include <algorithm>
#include <cassert>
#include <optional>

namespace director {
namespace {

using checkers::State;

/// The weight a server should have; nothing where it should not be in the table.
std::optional<std::uint32_t> planned_weight(const config::Service& service, const config::Server& server,
                                            const ServerSituation& situation, const ipvs::ServiceEntry& actual) {
  if (situation.drained) return 0;
  if (situation.health == State::up) return server.weight;
  if (situation.health == State::unknown) {
    const auto held = actual.destinations.find({.endpoint = server.endpoint});
    if (held != actual.destinations.end()) return held->second.weight;
  }
  if (service.on_failure == config::OnFailure::remove) return std::nullopt;
  return 0;
}

ipvs::Destination destination(const config::Service& service, std::uint32_t weight) {
  ipvs::Destination made;
  made.forward = service.forward;
  made.weight = weight;
  return made;
}

}  // namespace

ipvs::ServiceEntry plan(const config::Service& service, const ServiceSituation& situation,
                        const ipvs::ServiceEntry& actual) {
  assert(situation.servers.size() == service.servers.size());
  ipvs::ServiceEntry entry{.service = service.spec, .destinations = {}};
  bool serving = false;
  for (std::size_t i = 0; i < service.servers.size(); ++i) {
    const auto& server = service.servers[i];
    const auto weight = planned_weight(service, server, situation.servers[i], actual);
    if (!weight) continue;
    serving |= *weight > 0;
    entry.destinations[{.endpoint = server.endpoint}] = destination(service, *weight);
  }
  if (service.fallback) {
    entry.destinations.try_emplace({.endpoint = *service.fallback}, destination(service, serving ? 0 : 1));
  }
  return entry;
}

}  // namespace director
