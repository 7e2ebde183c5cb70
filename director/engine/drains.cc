#include "director/engine/drains.h"

#include <fmt/format.h>

#include "net/time.h"

namespace director {

std::vector<ipvs::DestinationKey> note_removed(Drains& draining_removed, const ipvs::ServiceKey& key,
                                               const ipvs::ServiceEntry& actual,
                                               const std::set<ipvs::DestinationKey>& named,
                                               std::chrono::seconds drain_time, WallTime now) {
  std::vector<ipvs::DestinationKey> begun;
  for (const auto& [destination, unused] : actual.destinations) {
    if (named.contains(destination)) {
      draining_removed.erase({key, destination});
    } else if (draining_removed.try_emplace({key, destination}, Drain{.since = now, .deadline = now + drain_time})
                   .second) {
      begun.push_back(destination);
    }
  }
  return begun;
}

void keep_draining_removed(ipvs::ServiceEntry& planned, const Drains& draining_removed, const ipvs::ServiceKey& key,
                           const ipvs::ServiceEntry& actual) {
  for (const auto& [destination, values] : actual.destinations) {
    if (!draining_removed.contains({key, destination})) continue;
    auto& kept = planned.destinations.try_emplace(destination, values).first->second;
    kept.weight = 0;
  }
}

void note_drains(Drains& drains, const ipvs::ServiceKey& key, const std::map<ipvs::DestinationKey, Drain>& now) {
  for (auto drain = drains.lower_bound({key, {}}); drain != drains.end() && drain->first.first == key;) {
    const auto still = now.find(drain->first.second);
    const bool goes_on = still != now.end() && still->second.cause == drain->second.cause;
    drain = goes_on ? std::next(drain) : drains.erase(drain);
  }
  for (const auto& [destination, drain] : now) {
    const auto [held, is_new] = drains.try_emplace({key, destination}, drain);
    if (!is_new) held->second.deadline = drain.deadline;
  }
}

void move_times(Drains& drains, WallTime::duration by) {
  for (auto& [which, drain] : drains) {
    drain.since += by;
    if (drain.deadline) *drain.deadline += by;
  }
}

std::optional<std::string> end_reason(const Drain& drain, ipvs::Protocol protocol, const ipvs::DestinationStatus* held,
                                      WallTime now) {
  if (held == nullptr) return "it was already gone from the kernel";
  const auto left = held->active + held->inactive;
  if (left == 0 && protocol != ipvs::Protocol::udp) return "no connections left";
  if (!drain.deadline || now < *drain.deadline) return std::nullopt;
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - drain.since);
  return fmt::format("drain timeout reached after {}, {} active and {} inactive connections closed",
                     net::to_string(waited), held->active, held->inactive);
}

std::string_view to_string(DrainCause cause) {
  switch (cause) {
    case DrainCause::removal:
      return "removed from the file";
    case DrainCause::admin:
      return "by the operator";
    case DrainCause::advice:
      return "by its agent";
    case DrainCause::health:
      return "failed";
  }
  return "?";
}

}  // namespace director
