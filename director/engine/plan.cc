// The plan of one service, in this order: what each server would weigh if it were in (the file's weight, the agent's
// advice); whom the operator or the agent takes out; whom health takes out, as far as `panic` lets it; slow start; the
// quorum, and with it the fallback.

#include "director/engine/plan.h"

#include <algorithm>

#include "net/check.h"

namespace director {
namespace {

using checkers::Advice;
using checkers::HealthState;

constexpr std::uint32_t slow_start_steps = 20;

/// What becomes of one server.
struct Decision {
  bool in = false;                  ///< could take connections: counts for the quorum
  std::uint32_t weight = 0;         ///< what it should have in the table when its turn is now
  std::optional<DrainCause> out{};  ///< why it has weight 0, if it has
  bool listed = true;               ///< whether it stays in the table at all
};

/// What the operator or else the file gives it.
std::uint32_t weight_of(const config::Service& service, const ObservedService& observed, std::size_t i) {
  return observed.servers[i].weight.value_or(service.servers[i].weight);
}

/// The failed servers that stay in: health takes servers out in the order in which they failed, until the next would
/// take more than `panic` per cent of all the weight that is not excluded.
std::vector<bool> kept_by_panic(const config::Service& service, const ObservedService& observed) {
  const auto& servers = observed.servers;
  std::vector<bool> kept(servers.size(), false);
  std::vector<std::size_t> failed;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (service.servers[i].fallback || excluded_by(servers[i])) continue;
    total += weight_of(service, observed, i);
    if (servers[i].health == HealthState::down) failed.push_back(i);
  }
  std::ranges::stable_sort(failed, {}, [&](std::size_t i) { return servers[i].since; });
  std::uint64_t taken = 0;
  bool full = false;
  for (const std::size_t i : failed) {
    taken += weight_of(service, observed, i);
    full |= taken * 100 > total * service.panic;
    kept[i] = full;
  }
  return kept;
}

/// A slow start's weight: rises with time to the whole, in at most `slow_start_steps` steps, since a scheduler that
/// hashes rebuilds its table at each; and when it next rises.
std::uint32_t slow_start_weight(const config::Service& service, const ObservedServer& server, std::uint32_t weight,
                                net::Instant now, std::optional<net::Instant>& replan_at) {
  if (!server.slow_start_from || service.slow_start.count() == 0 || weight < 2) return weight;
  const auto passed = std::max(now - *server.slow_start_from, net::Duration::zero());
  if (passed >= service.slow_start) return weight;
  const auto steps = std::min(weight, slow_start_steps);
  const auto step = std::chrono::duration_cast<net::Duration>(service.slow_start) / steps;
  const auto taken = static_cast<std::uint64_t>(passed / step);
  const auto next = *server.slow_start_from + step * static_cast<std::int64_t>(taken + 1);
  replan_at = replan_at ? std::min(*replan_at, next) : next;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(weight * (taken + 1) / steps, weight));
}

Decision decide(const config::Service& service, const ObservedService& observed, std::size_t i, bool kept,
                const ipvs::ServiceEntry& actual, net::Instant now, std::optional<net::Instant>& replan_at) {
  const auto& server = observed.servers[i];
  const auto weight = advised(server.advice, weight_of(service, observed, i));
  const bool stays = service.on_failure == config::OnFailure::drain || service.servers[i].fallback;
  if (const auto cause = excluded_by(server))
    return {.out = cause, .listed = server.admin_state != AdminState::disabled};
  if (kept) return {.in = true, .weight = weight};
  if (server.health == HealthState::up) {
    return {.in = weight > 0, .weight = slow_start_weight(service, server, weight, now, replan_at)};
  }
  if (server.health == HealthState::unknown) {
    const auto held = actual.destinations.find({.endpoint = service.servers[i].endpoint});
    if (held != actual.destinations.end()) return {.in = held->second.weight > 0, .weight = held->second.weight};
    return {.listed = stays};
  }
  return {.out = DrainCause::health, .listed = stays};
}

ipvs::Destination destination(const config::Service& service, const config::Server& server, std::uint32_t weight) {
  return {.forward = service.forward,
          .weight = weight,
          .upper_threshold = server.upper_threshold,
          .lower_threshold = server.lower_threshold,
          .tunnel = service.tunnel};
}

}  // namespace

std::optional<DrainCause> excluded_by(const ObservedServer& server) {
  if (server.admin_state != AdminState::enabled) return DrainCause::admin;
  const auto admin_state = server.advice.admin_state;
  if (admin_state == Advice::AdminState::drain || admin_state == Advice::AdminState::maint) return DrainCause::advice;
  return std::nullopt;
}

Plan plan(const config::Service& service, const ObservedService& observed, const ipvs::ServiceEntry& actual,
          net::Instant now) {
  net::check(observed.servers.size() == service.servers.size(), "each server of a service has been observed");
  Plan made{.entry = {.service = service.spec, .destinations = {}}, .replan_at = {}};
  const auto kept = kept_by_panic(service, observed);
  made.panicking = static_cast<std::size_t>(std::ranges::count(kept, true));

  std::vector<Decision> decisions;
  bool fallback_in = false, fallback_there = false;
  for (std::size_t i = 0; i < service.servers.size(); ++i) {
    decisions.push_back(decide(service, observed, i, kept[i], actual, now, made.replan_at));
    const auto& decision = decisions.back();
    if (service.servers[i].fallback) {
      fallback_there = true;
      fallback_in |= decision.in;
    } else {
      ++made.servers;
      made.in_service += decision.in ? 1 : 0;
    }
  }
  made.quorum = made.in_service >= (observed.quorum ? service.quorum.below : service.quorum.regain);

  made.fallback_in_use = fallback_there && !made.quorum && (fallback_in || made.in_service == 0);
  for (std::size_t i = 0; i < service.servers.size(); ++i) {
    const auto& [is_in, weight, out, listed] = decisions[i];
    if (!listed) continue;
    const ipvs::DestinationKey key{.endpoint = service.servers[i].endpoint};
    const bool has_its_turn = service.servers[i].fallback == made.fallback_in_use;
    // The last resort: a fallback that fails its checks is still better than nothing.
    const bool last_resort =
        service.servers[i].fallback && !fallback_in && out != DrainCause::admin && out != DrainCause::advice;
    const auto full = last_resort ? weight_of(service, observed, i) : weight;
    made.entry.destinations[key] = destination(service, service.servers[i], has_its_turn ? full : 0);
    if (out && !(last_resort && has_its_turn)) made.drained[key] = *out;
  }
  return made;
}

}  // namespace director
