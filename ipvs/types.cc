#include "ipvs/types.h"

#include <fmt/format.h>

#include <bit>

namespace ipvs {

void set_ipv4_mask(Service& service, std::uint32_t mask) {
  const int length = std::countl_one(mask);
  const bool is_prefix = length > 0 && std::popcount(mask) == length;
  service.mask_length = static_cast<std::uint8_t>(is_prefix ? length % 32 : 0);
  service.raw_mask = is_prefix ? std::nullopt : std::optional(mask);
}

std::uint32_t ipv4_mask(const Service& service) {
  if (service.raw_mask) return *service.raw_mask;
  return service.mask_length == 0 || service.mask_length >= 32 ? UINT32_MAX : ~(UINT32_MAX >> service.mask_length);
}

Table table_of(const Snapshot& snapshot) {
  Table table;
  for (const auto& [key, status] : snapshot) {
    ServiceEntry& entry =
        table.emplace_hint(table.end(), key, ServiceEntry{.service = status.service, .destinations = {}})->second;
    for (const auto& [destination, found] : status.destinations) {
      entry.destinations.emplace_hint(entry.destinations.end(), destination, found.destination);
    }
  }
  return table;
}

std::string_view to_string(Forward forward) {
  switch (forward) {
    case Forward::nat:
      return "nat";
    case Forward::local:
      return "local";
    case Forward::tunnel:
      return "tunnel";
    case Forward::route:
      return "dr";
    case Forward::bypass:
      return "bypass";
  }
  return "?";
}

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::none:
      return "fwmark";
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
    case Protocol::sctp:
      return "sctp";
  }
  return "?";
}

std::string to_string(const ServiceKey& key) {
  if (key.protocol != Protocol::none) return fmt::format("{} {}", to_string(key.protocol), to_string(key.endpoint));
  return fmt::format("fwmark {}{}", key.fwmark, key.family() == net::Family::ipv6 ? " (ipv6)" : "");
}

std::string to_string(const DestinationKey& key) { return to_string(key.endpoint); }

}  // namespace ipvs
