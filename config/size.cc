#include "config/size.h"

#include <fmt/format.h>

#include <cstddef>

namespace config {
namespace {

constexpr std::size_t max_services = 100'000;
constexpr std::size_t max_servers = 200'000;

}  // namespace

bool has_bounded_size(const YamlNode& root, Diagnostics& diagnostics) {
  const Entry* services = root.find("services");
  if (services == nullptr) return true;
  const auto& entries = services->value->entries;
  if (entries.size() > max_services) {
    diagnostics.error(services->place, fmt::format("there are more than {} services", max_services));
    return false;
  }
  std::size_t servers = 0;
  for (const auto& service : entries) {
    for (const auto* key : {"servers", "fallback"}) {
      if (const Entry* list = service.value->find(key)) servers += list->value->entries.size();
    }
    if (servers <= max_servers) continue;
    diagnostics.error(service.place, fmt::format("the services up to here have more than {} servers", max_servers));
    return false;
  }
  return true;
}

bool has_bounded_size(const std::vector<Service>& services) {
  std::size_t servers = 0;
  for (const auto& service : services) servers += service.servers.size();
  return services.size() <= max_services && servers <= max_servers;
}

}  // namespace config
