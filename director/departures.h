#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "ipvs/types.h"

/// What left the cluster file and is still in the kernel: it takes no new connections, and goes when its open ones have
/// gone or its time is up. Pure; the director keeps the list across restarts and asks the kernel for the counts.
namespace director {

using WallTime = std::chrono::system_clock::time_point;

/// One destination on its way out.
struct Departure {
  WallTime since;
  WallTime deadline;  ///< then it goes, and what is left of its connections ends

  auto operator<=>(const Departure&) const = default;
};
using Departures = std::map<std::pair<ipvs::ServiceKey, ipvs::DestinationKey>, Departure>;

/// How long a destination may take to leave.
inline constexpr std::chrono::minutes departure_time_max{5};

/// Departures for what `actual` holds and the file does not name; those that have begun keep their time. One that is
/// named again no longer departs.
void note_departures(Departures& departures, const ipvs::ServiceKey& key, const ipvs::ServiceEntry& actual,
                     const std::set<ipvs::DestinationKey>& named, WallTime now);

/// Adds to `planned` the destinations of `actual` that are departing, with weight 0.
void keep_departing(ipvs::ServiceEntry& planned, const Departures& departures, const ipvs::ServiceKey& key,
                    const ipvs::ServiceEntry& actual);

/// Why a departure is over, as a sentence for the journal; nothing while it is not. `held` is null when the kernel no
/// longer has the destination. A UDP "connection" is only a port that was seen lately, so UDP leaves by its deadline.
[[nodiscard]] std::optional<std::string> ended(const Departure& departure, ipvs::Protocol protocol,
                                               const ipvs::DestinationStatus* held, WallTime now);

}  // namespace director
