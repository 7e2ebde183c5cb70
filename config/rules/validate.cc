#include "config/rules/validate.h"

#include <fmt/format.h>

#include <string>

namespace config {

void validate(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  validate_routers(cluster, origin, diagnostics);
  validate_addresses(cluster, origin, diagnostics);
  validate_services(cluster, origin, diagnostics);
  validate_fallbacks(cluster, origin, diagnostics);
  validate_regexes(cluster, origin, diagnostics);
  validate_vip_checks(cluster, origin, diagnostics);
}

Origin::Path check_path(const Origin& origin, const Service& service, std::size_t index) {
  Origin::Path path = {"services", service.name, "check"};
  return origin.has(path) ? path : Origin::Path{"services", service.name, "checks", std::to_string(index)};
}

Origin::Path address_path(const Service& service, const Server& server) {
  return {"services", service.name, server.fallback ? "fallback" : "servers", server.name, "address"};
}

std::string called(const Server& server) {
  if (!server.fallback) return fmt::format("server '{}'", server.name);
  return server.name == "fallback" ? "the fallback" : fmt::format("fallback '{}'", server.name);
}

}  // namespace config
