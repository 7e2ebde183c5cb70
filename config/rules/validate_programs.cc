#include <fmt/format.h>

#include <set>

#include "config/rules/validate.h"
#include "net/file.h"

namespace config {
namespace {

class ProgramRules {
 public:
  ProgramRules(const Origin& origin, Diagnostics& diagnostics) : origin_(origin), diagnostics_(diagnostics) {}

  void check(const checkers::Spec& check, Origin::Path path, const std::string& owner) {
    const auto* exec = std::get_if<checkers::Exec>(&check.kind);
    path.insert(path.end(), {"exec", "command"});
    if (exec == nullptr || exec->command.empty() || !origin_.has(path) || !origin_.valid(path)) return;
    const auto& program = exec->command.front();
    if (!seen_.insert(program).second) return;
    if (const auto why = net::program_problem(program); !why.empty())
      diagnostics_.warning(origin_.place(path), fmt::format("a check of {} will fail on this host: {}", owner, why));
  }

 private:
  const Origin& origin_;
  Diagnostics& diagnostics_;
  std::set<std::string> seen_;
};

}  // namespace

void validate_programs(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  ProgramRules rules(origin, diagnostics);
  for (const auto& service : cluster.services) {
    for (std::size_t i = 0; i < service.checks.size(); ++i) {
      rules.check(service.checks[i], check_path(origin, service, i), fmt::format("service '{}'", service.name));
    }
  }
  for (const auto& router : cluster.virtual_routers) {
    for (const auto& tracker : router.trackers) {
      if (tracker.check)
        rules.check(*tracker.check, {"vrrp", router.name, "track", tracker.name, "check"},
                    fmt::format("tracker '{}'", tracker.name));
    }
  }
}

}  // namespace config
