#include "director/situation.h"

#include <algorithm>

namespace director {

checkers::State all_of(const std::vector<checkers::State>& checks) {
  using checkers::State;
  if (std::ranges::find(checks, State::down) != checks.end()) return State::down;
  return std::ranges::all_of(checks, [](State s) { return s == State::up; }) ? State::up : State::unknown;
}

}  // namespace director
