#include "config/rules/validate.h"

namespace config {

void validate(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  validate_routers(cluster, origin, diagnostics);
  validate_addresses(cluster, origin, diagnostics);
  validate_services(cluster, origin, diagnostics);
  validate_vip_checks(cluster, origin, diagnostics);
}

}  // namespace config
