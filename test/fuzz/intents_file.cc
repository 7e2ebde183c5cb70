// What directord keeps across restarts.
#include "director/engine/intents.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto intents = director::intents_from_json(std::string(fuzz::as_text(data, size)));
  if (!intents) return 0;
  const auto again = director::intents_from_json(director::to_json(*intents));
  fuzz::require(again && *again == *intents, "intents are written as they are read");
  return 0;
}
