#include <fmt/format.h>

#include "config/import/imported.h"

namespace config {
namespace {

std::string listen(const ipvs::ServiceKey& key) {
  const std::string endpoint = to_string(key.endpoint);
  return key.protocol == ipvs::Protocol::tcp ? endpoint : fmt::format("{}://{}", to_string(key.protocol), endpoint);
}

/// Empty for none.
std::string number(std::uint32_t value) { return value > 0 ? std::to_string(value) : std::string(); }

void take_options(const ipvs::Service& from, Imported::Service& service) {
  if (from.persistence.count() > 0) service.persistence = fmt::format("{}s", from.persistence.count());
  const auto add = [&](const char* name, std::string value) { service.options.emplace_back(name, std::move(value)); };
  if (from.mask_length > 0 || from.raw_mask == 0U) add("persistence_mask", std::to_string(from.mask_length));
  if (!from.persistence_engine.empty()) add("persistence_engine", from.persistence_engine);
  if (from.flags & ipvs::flag::one_packet) add("one_packet", "true");
  const bool fallback = from.flags & ipvs::flag::sched1, port = from.flags & ipvs::flag::sched2;
  if (fallback || port) add("hash", fmt::format("{{ port: {}, fallback: {} }}", port, fallback));
}

std::string tunnel(const ipvs::Tunnel& tunnel) {
  const char* type = tunnel.type == ipvs::Tunnel::Type::gue ? "gue" : "gre";
  std::string text = fmt::format("{{ type: {}", type);
  if (tunnel.port > 0) text += fmt::format(", port: {}", tunnel.port);
  if (tunnel.flags != 0) text += fmt::format(", checksum: {}", tunnel.flags & 2 ? "remote" : "full");
  return text + " }";
}

}  // namespace

Imported import_table(const ipvs::Table& table) {
  Imported imported;
  std::vector<std::string> names;
  for (const auto& [key, entry] : table) {
    const std::string shown = to_string(key);
    names.push_back(free_name(shown, names));
    Imported::Service service{.name = names.back(), .scheduler = entry.service.scheduler};
    const auto note = [&](std::string_view what) { imported.notes.push_back(fmt::format("{}: {}", shown, what)); };
    if (key.protocol == ipvs::Protocol::none) {
      service.fwmark = std::to_string(key.fwmark);
      if (key.family() == net::Family::ipv6)
        note("IPv6 firewall mark; here the address family of a mark is that of its first server");
    } else {
      service.listen = listen(key);
    }
    if (entry.service.raw_mask.value_or(0) != 0)
      note("not carried over: the persistence netmask, which is not a prefix");
    if (entry.service.flags & ipvs::flag::sched3) note("not carried over: the scheduler flag flag-3");
    take_options(entry.service, service);
    const ipvs::Destination* first = nullptr;
    for (const auto& [server, destination] : entry.destinations) {
      if (!first) first = &destination;
      if (destination.forward != first->forward || destination.tunnel != first->tunnel) {
        note(
            fmt::format("{} has a different forwarding method; directord has one for each service", to_string(server)));
      }
      service.servers.push_back({.address = to_string(server),
                                 .weight = std::to_string(destination.weight),
                                 .upper_threshold = number(destination.upper_threshold),
                                 .lower_threshold = number(destination.lower_threshold)});
    }
    if (first) service.forward = to_string(first->forward);
    if (first && first->tunnel != ipvs::Tunnel{}) service.options.emplace_back("tunnel", tunnel(first->tunnel));
    note("no check: all servers count as up");
    imported.services.push_back(std::move(service));
  }
  return imported;
}

}  // namespace config
