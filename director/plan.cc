// The plan of one service, in this order: what each server would weigh if it were in (the file's weight, the agent's
// advice); whom the operator or the agent takes out; whom health takes out, as far as `panic` lets it; slow start; the
// quorum, and with it the fallback.

#include "director/plan.h"

#include <algorithm>
#include <cassert>

namespace director {
namespace {

using checkers::Advice;
using checkers::State;

constexpr std::uint32_t warm_steps = 20;

/// What becomes of one server.
struct Verdict {
  bool in = false;           ///< counts for the quorum
  std::uint32_t weight = 0;  ///< what it should have in the table now
  bool listed = true;        ///< whether it stays in the table at all
};

/// Out by somebody's word, whatever its health.
bool excused(const ServerSituation& server) {
  return server.drained || server.advice.wish == Advice::Wish::drain || server.advice.wish == Advice::Wish::maint;
}

/// The failed servers that stay in: health takes servers out in the order in which they failed, until the next would
/// take more than `panic` per cent of all the weight that is not excused.
std::vector<bool> kept_by_panic(const config::Service& service, const ServiceSituation& situation) {
  const auto& servers = situation.servers;
  std::vector<bool> kept(servers.size(), false);
  std::vector<std::size_t> failed;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (excused(servers[i])) continue;
    total += service.servers[i].weight;
    if (servers[i].health == State::down) failed.push_back(i);
  }
  std::ranges::stable_sort(failed, {}, [&](std::size_t i) { return servers[i].since; });
  std::uint64_t taken = 0;
  bool full = false;
  for (const std::size_t i : failed) {
    taken += service.servers[i].weight;
    full |= taken * 100 > total * service.panic;
    kept[i] = full;
  }
  return kept;
}

/// A slow start's weight: rises with time to the whole, in at most `warm_steps` steps, since a scheduler that hashes
/// rebuilds its table at each; and when it next rises.
std::uint32_t warmed(const config::Service& service, const ServerSituation& server, std::uint32_t weight,
                     net::Instant now, std::optional<net::Instant>& again) {
  if (!server.warming || service.slow_start.count() == 0 || weight < 2) return weight;
  const auto passed = std::max(now - *server.warming, net::Duration::zero());
  if (passed >= service.slow_start) return weight;
  const auto steps = std::min(weight, warm_steps);
  const auto step = std::chrono::duration_cast<net::Duration>(service.slow_start) / steps;
  const auto taken = static_cast<std::uint64_t>(passed / step);
  const auto next = *server.warming + step * static_cast<std::int64_t>(taken + 1);
  again = again ? std::min(*again, next) : next;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(weight * (taken + 1) / steps, weight));
}

Verdict judge(const config::Service& service, std::size_t i, const ServerSituation& server, bool kept,
              const ipvs::ServiceEntry& actual, net::Instant now, std::optional<net::Instant>& again) {
  const auto weight = advised(server.advice, service.servers[i].weight);
  if (excused(server)) return {};
  if (kept) return {.in = true, .weight = weight};
  if (server.health == State::up) {
    return {.in = weight > 0, .weight = warmed(service, server, weight, now, again)};
  }
  if (server.health == State::unknown) {
    const auto held = actual.destinations.find({.endpoint = service.servers[i].endpoint});
    if (held != actual.destinations.end()) return {.in = held->second.weight > 0, .weight = held->second.weight};
  }
  return {.listed = service.on_failure == config::OnFailure::drain};
}

ipvs::Destination destination(const config::Service& service, std::uint32_t weight) {
  ipvs::Destination made;
  made.forward = service.forward;
  made.weight = weight;
  return made;
}

}  // namespace

Plan plan(const config::Service& service, const ServiceSituation& situation, const ipvs::ServiceEntry& actual,
          net::Instant now) {
  assert(situation.servers.size() == service.servers.size());
  Plan made{.entry = {.service = service.spec, .destinations = {}}, .again = {}};
  const auto kept = kept_by_panic(service, situation);
  made.panicking = static_cast<std::size_t>(std::ranges::count(kept, true));

  std::vector<Verdict> verdicts;
  std::uint32_t in = 0;
  for (std::size_t i = 0; i < service.servers.size(); ++i) {
    verdicts.push_back(judge(service, i, situation.servers[i], kept[i], actual, now, made.again));
    in += verdicts.back().in ? 1 : 0;
  }
  made.quorum = in >= (situation.quorum ? service.quorum.below : service.quorum.regain);

  const bool fallback_serves = service.fallback && !made.quorum;
  for (std::size_t i = 0; i < service.servers.size(); ++i) {
    if (!verdicts[i].listed) continue;
    const ipvs::DestinationKey key{.endpoint = service.servers[i].endpoint};
    made.entry.destinations[key] = destination(service, fallback_serves ? 0 : verdicts[i].weight);
  }
  if (service.fallback) {
    const ipvs::DestinationKey key{.endpoint = *service.fallback};
    made.entry.destinations.try_emplace(key, destination(service, fallback_serves ? 1 : 0));
  }
  return made;
}

}  // namespace director
