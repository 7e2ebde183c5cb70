#include <fmt/format.h>

#include "config/imported.h"

namespace config {
namespace {

std::string listen(const ipvs::ServiceKey& key) {
  const std::string endpoint = to_string(key.endpoint);
  return key.protocol == ipvs::Protocol::tcp ? endpoint : fmt::format("{}://{}", to_string(key.protocol), endpoint);
}

}  // namespace

Imported import_table(const ipvs::Table& table) {
  Imported imported;
  std::vector<std::string> names;
  for (const auto& [key, entry] : table) {
    names.push_back(free_name(to_string(key), names));
    Imported::Service service{.name = names.back(), .scheduler = entry.service.scheduler};
    const auto note = [&](std::string_view what) {
      imported.notes.push_back(fmt::format("{}: {}", to_string(key), what));
    };
    if (key.protocol == ipvs::Protocol::none) {
      service.fwmark = std::to_string(key.fwmark);
      if (key.family() == net::Family::ipv6) note("a firewall mark of IPv6; marks are of IPv4 here");
    } else {
      service.listen = listen(key);
    }
    if (entry.service.persistence.count() > 0)
      service.persistence = fmt::format("{}s", entry.service.persistence.count());
    if (entry.service.mask_length > 0 || entry.service.raw_mask)
      note("the netmask of its persistence is not carried over");
    if (!entry.service.persistence_engine.empty()) note("its persistence engine is not carried over");
    if (entry.service.flags & ~ipvs::flag::persistent) note("its scheduler flags are not carried over");
    bool limits = false, tunnels = false;
    std::string forward;
    for (const auto& [server, destination] : entry.destinations) {
      const std::string method(to_string(destination.forward));
      if (forward.empty()) forward = method;
      if (method != forward)
        note(fmt::format("{} is forwarded to by {}; here a service has one way for all", to_string(server), method));
      limits |= destination.upper_threshold > 0 || destination.lower_threshold > 0;
      tunnels |= destination.tunnel != ipvs::Tunnel{};
      service.servers.push_back({.address = to_string(server), .weight = std::to_string(destination.weight)});
    }
    if (!forward.empty()) service.forward = forward;
    if (limits) note("the connection thresholds of its servers are not carried over");
    if (tunnels) note("its tunnels' encapsulation is not carried over: they are ipip");
    note("has no check: its servers count as up");
    imported.services.push_back(std::move(service));
  }
  return imported;
}

}  // namespace config
