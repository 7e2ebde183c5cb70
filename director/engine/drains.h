#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ipvs/types.h"
#include "net/time_text.h"

/// Destinations that take no new connections while their open ones live on. Pure: the director keeps the lists and asks
/// the kernel for the counts.
namespace director {

using net::WallTime;

/// Why a destination takes no new connections.
enum class DrainCause : std::uint8_t {
  removal,  ///< it left the cluster file
  admin,    ///< by the operator
  advice,   ///< by its agent, script or file
  health,   ///< its checks fail
};

struct Drain {
  DrainCause cause = DrainCause::removal;
  WallTime since;
  std::optional<WallTime> deadline{};  ///< then it leaves the table, and what is left of its connections ends
  bool done = false;                   ///< its last connection has gone, and that was told

  auto operator<=>(const Drain&) const = default;
};
using DrainKey = std::pair<ipvs::ServiceKey, ipvs::DestinationKey>;
using Drains = std::map<DrainKey, Drain>;

/// Adds a drain to `draining_removed` for what `actual` holds and `named` does not, to end after `drain_time`, and
/// returns what began so; those that have begun keep their time. One that is named again no longer drains.
std::vector<ipvs::DestinationKey> note_removed(Drains& draining_removed, const ipvs::ServiceKey& key,
                                               const ipvs::ServiceEntry& actual,
                                               const std::set<ipvs::DestinationKey>& named,
                                               std::chrono::seconds drain_time, WallTime now);

/// Adds to `planned` the destinations of `actual` that are in `draining_removed`, with weight 0.
void keep_draining_removed(ipvs::ServiceEntry& planned, const Drains& draining_removed, const ipvs::ServiceKey& key,
                           const ipvs::ServiceEntry& actual);

/// Moves the times of all by so much.
void move_times(Drains& drains, WallTime::duration by);

/// Makes the drains of one service those of `causes`: what drains for the same cause as before keeps its time.
void note_drains(Drains& drains, const ipvs::ServiceKey& key, const std::map<ipvs::DestinationKey, Drain>& now);

/// Why a drain is over, as a sentence for the journal; nothing while it is not. `held` is null when the kernel no
/// longer has the destination. A UDP "connection" is only a port that was seen lately, so UDP ends by its deadline.
[[nodiscard]] std::optional<std::string> end_reason(const Drain& drain, ipvs::Protocol protocol,
                                                    const ipvs::DestinationStatus* held, WallTime now);

/// "removed from the file", "by the operator", "by its agent", "failed".
[[nodiscard]] std::string_view to_string(DrainCause cause);

}  // namespace director
