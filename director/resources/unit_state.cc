#include "director/resources/unit_state.h"

#include <array>
#include <utility>

namespace director {
namespace {

using enum UnitState;

constexpr auto words = std::to_array<std::pair<std::string_view, UnitState>>({
    {"active", active},
    {"reloading", active},
    {"refreshing", active},
    {"inactive", inactive},
    {"maintenance", inactive},
    {"failed", failed},
    {"activating", starting},
    {"deactivating", stopping},
});

}  // namespace

UnitState unit_state(std::string_view active_state) {
  for (const auto& [word, state] : words) {
    if (word == active_state) return state;
  }
  return unknown;
}

std::string_view to_string(UnitState state) {
  switch (state) {
    case unknown:
      return "unknown";
    case inactive:
      return "inactive";
    case starting:
      return "starting";
    case active:
      return "active";
    case stopping:
      return "stopping";
    case failed:
      return "failed";
  }
  return "?";
}

}  // namespace director
