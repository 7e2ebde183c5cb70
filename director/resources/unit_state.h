#pragma once

#include <cstdint>
#include <string_view>

namespace director {

/// Whether a systemd unit runs: its ActiveState.
enum class UnitState : std::uint8_t {
  unknown,   ///< not read yet, or not since the connection with systemd was lost
  inactive,  ///< does not run; also of a unit that is not there
  starting,
  active,
  stopping,
  failed,  ///< does not run, and ended otherwise than asked
};

[[nodiscard]] std::string_view to_string(UnitState state);

/// Reads systemd's word; `unknown` for any that it does not have.
[[nodiscard]] UnitState unit_state(std::string_view active_state);

/// Whether something of it may run.
[[nodiscard]] constexpr bool may_run(UnitState state) {
  return state == UnitState::starting || state == UnitState::active || state == UnitState::stopping;
}

}  // namespace director
