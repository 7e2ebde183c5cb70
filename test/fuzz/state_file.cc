// What directord keeps across restarts.
#include "director/engine/persistent_state.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto state = director::state_from_json(std::string(fuzz::as_text(data, size)));
  if (!state) return 0;
  const auto again = director::state_from_json(director::to_json(*state));
  fuzz::require(again && *again == *state, "the state is written as it is read");
  return 0;
}
