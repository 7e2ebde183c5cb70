#include <fmt/format.h>

#include <set>

#include "config/rules/validate.h"

namespace config {

void validate_schedulers(const Cluster& cluster, const Origin& origin, const net::Modules& modules,
                         Diagnostics& diagnostics) {
  std::set<std::string_view> seen;
  for (const Service& service : cluster.services) {
    const std::string& scheduler = service.spec.scheduler;
    const Origin::Path path = {"services", service.name, "scheduler"};
    if (!seen.insert(scheduler).second || !origin.valid(path)) continue;
    const std::string module = "ip_vs_" + scheduler;
    if (modules.find(module) != net::Modules::Presence::missing) continue;
    diagnostics.warning(
        origin.place(path),
        fmt::format("this host's kernel has no module {} for the scheduler '{}': the kernel will refuse the service",
                    module, scheduler));
  }
}

}  // namespace config
