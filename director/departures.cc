#include "director/departures.h"

#include <fmt/format.h>

#include "net/time.h"

namespace director {

void note_departures(Departures& departures, const ipvs::ServiceKey& key, const ipvs::ServiceEntry& actual,
                     const std::set<ipvs::DestinationKey>& named, WallTime now) {
  for (const auto& [destination, unused] : actual.destinations) {
    if (named.contains(destination)) continue;
    departures.try_emplace({key, destination}, Departure{.since = now, .deadline = now + departure_time_max});
  }
  std::erase_if(departures, [&](const auto& departure) {
    return departure.first.first == key && named.contains(departure.first.second);
  });
}

void keep_departing(ipvs::ServiceEntry& planned, const Departures& departures, const ipvs::ServiceKey& key,
                    const ipvs::ServiceEntry& actual) {
  for (const auto& [destination, values] : actual.destinations) {
    if (!departures.contains({key, destination})) continue;
    auto& kept = planned.destinations.try_emplace(destination, values).first->second;
    kept.weight = 0;
  }
}

std::optional<std::string> ended(const Departure& departure, ipvs::Protocol protocol,
                                 const ipvs::DestinationStatus* held, WallTime now) {
  if (held == nullptr) return "it is gone from the kernel";
  const auto left = held->active + held->inactive;
  if (left == 0 && protocol != ipvs::Protocol::udp) return "no connections are left";
  if (now < departure.deadline) return std::nullopt;
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - departure.since);
  return fmt::format("its time is up after {}; {} active and {} inactive connections end", net::to_string(waited),
                     held->active, held->inactive);
}

}  // namespace director
