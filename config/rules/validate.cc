#include "config/rules/validate.h"

#include <fmt/format.h>

#include <string>

namespace config {

void validate(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  validate_routers(cluster, origin, diagnostics);
  validate_priorities(cluster, origin, diagnostics);
  validate_resources(cluster, origin, diagnostics);
  validate_addresses(cluster, origin, diagnostics);
  validate_services(cluster, origin, diagnostics);
  validate_fallbacks(cluster, origin, diagnostics);
  validate_regexes(cluster, origin, diagnostics);
  validate_vip_checks(cluster, origin, diagnostics);
  if (!diagnostics.has_errors()) validate_peers(cluster, origin, diagnostics);
}

Origin::Path check_path(const Origin& origin, const Service& service, std::size_t index) {
  Origin::Path path = {"services", service.name, "check"};
  return origin.has(path) ? path : Origin::Path{"services", service.name, "checks", std::to_string(index)};
}

void for_each_check(
    const Cluster& cluster, const Origin& origin, bool (*wanted)(const checkers::Spec& check),
    const std::function<void(const checkers::Spec& check, const Origin::Path& path, const std::string& owner)>& visit) {
  for (const auto& service : cluster.services) {
    for (std::size_t i = 0; i < service.checks.size(); ++i) {
      if (wanted(service.checks[i]))
        visit(service.checks[i], check_path(origin, service, i), fmt::format("service '{}'", service.name));
    }
  }
  for (const auto& router : cluster.virtual_routers) {
    for (const auto& tracker : router.trackers) {
      if (tracker.check && wanted(*tracker.check))
        visit(*tracker.check, {"vrrp", router.name, "track", tracker.name, "check"},
              fmt::format("tracker '{}'", tracker.name));
    }
  }
}

Origin::Path address_path(const Service& service, const Server& server) {
  return {"services", service.name, server.fallback ? "fallback" : "servers", server.name, "address"};
}

std::string called(const Server& server) {
  if (!server.fallback) return fmt::format("server '{}'", server.name);
  return server.name == "fallback" ? "the fallback" : fmt::format("fallback '{}'", server.name);
}

}  // namespace config
