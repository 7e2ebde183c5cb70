#include "director/engine/weight_origin.h"

#include "director/engine/plan.h"

namespace director {

std::string_view weight_origin(const config::Service& service, const ObservedService& observed, std::size_t server,
                               std::uint32_t effective, bool fallback_in_use) {
  const auto& now = observed.servers[server];
  const auto& in_file = service.servers[server];
  if (const auto cause = excluded_by(now)) return *cause == DrainCause::admin ? "operator" : "agent";
  const auto given = now.weight.value_or(in_file.weight);
  const auto whole = advised(now.advice, given);
  if (effective == 0 && whole != 0) {
    if (now.health != checkers::HealthState::up && !in_file.fallback) return "check";
    if (in_file.fallback != fallback_in_use) return "fallback";
    return "check";
  }
  if (now.slow_start_from && effective < whole) return "slow start";
  if (now.advice.weight) return "agent";
  return now.weight ? "operator" : "file";
}

}  // namespace director
