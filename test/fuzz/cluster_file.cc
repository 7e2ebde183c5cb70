// The cluster file.
#include "config/load.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = config::load_text("cluster.yaml", std::string(fuzz::as_text(data, size)));
  if (!loaded) {
    fuzz::require(!loaded.error().empty(), "a refusal says why");
    (void)config::to_string(loaded.error());
  }
  return 0;
}
