// A name server's answer to a probe.
#include "checkers/probes/dns_message.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const checkers::dns::Question question{.id = 0x1234, .name = "www.example.org", .type = 1};
  const auto response = checkers::dns::parse(fuzz::as_text(data, size), question);
  if (response) fuzz::require(response->addresses.size() <= 64, "what is kept is bounded");
  return 0;
}
