#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "director/engine/drains.h"
#include "director/orders/order_book.h"
#include "ipvs/types.h"
#include "net/error.h"

namespace director {

/// What must survive a restart of directord: the operator's overrides, and what it put into the kernel's table.
struct PersistentState {
  OrderBook orders;                  ///< operators' drains and weights
  std::set<ipvs::ServiceKey> owned;  ///< services that this or an earlier run made or took over
  bool sync = false;                 ///< the sync daemons are directord's
  Drains draining_removed;           ///< what left the cluster file and is still in the kernel

  auto operator<=>(const PersistentState&) const = default;
};

/// Whether any server of a service has overrides.
[[nodiscard]] bool has_overrides(const PersistentState& state, std::string_view service);

/// The overrides of a server; null: none.
[[nodiscard]] const Overrides* overrides_of(const PersistentState& state, std::string_view service,
                                            std::string_view server);

/// Moves all times of a state by so much: true if it has any.
bool move_times(PersistentState& state, net::WallTime::duration by);

/// Whatever began after `now`, by a clock that has been set back since, begins now and has its whole time before it.
void clamp_future_times(PersistentState& state, WallTime now);

/// As text: one JSON object with a version, and back. Older versions are understood; text of a newer one, or damaged,
/// is an error that says so.
[[nodiscard]] std::string to_json(const PersistentState& state);
[[nodiscard]] net::Result<PersistentState> state_from_json(const std::string& text);

/// Reads the file; one that is not there yet holds no state.
[[nodiscard]] net::Result<PersistentState> load_state(const std::filesystem::path& file);

/// Replaces the file in one step: if this process dies at any moment, the old or the new content is there, whole.
/// Returns when the new one would outlive a loss of power; that may take long, but never keeps the process from ending.
[[nodiscard]] net::Result<> save_state(const std::filesystem::path& file, const PersistentState& state);

}  // namespace director
