// A server's own word about itself.
#include "checkers/probes/advice_line.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)checkers::AdviceLine::parse(fuzz::as_text(data, size));
  return 0;
}
