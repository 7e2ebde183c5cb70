#include <fmt/format.h>

#include <set>

#include "config/rules/validate.h"
#include "net/file.h"

namespace config {
namespace {

class ProgramRules {
 public:
  ProgramRules(const Origin& origin, Diagnostics& diagnostics) : origin_(origin), diagnostics_(diagnostics) {}

  void check(const checkers::Exec& exec, Origin::Path path, const std::string& owner) {
    path.insert(path.end(), {"exec", "command"});
    if (exec.command.empty() || !origin_.has(path) || !origin_.valid(path)) return;
    const auto& program = exec.command.front();
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
  const auto runs_program = [](const checkers::Spec& check) {
    return std::holds_alternative<checkers::Exec>(check.kind);
  };
  for_each_check(cluster, origin, runs_program, [&](const auto& check, const auto& path, const auto& owner) {
    rules.check(std::get<checkers::Exec>(check.kind), path, owner);
  });
}

}  // namespace config
