// A Location header: wherever it leads, the address stays, and what is asked next is one line.
#include "checkers/probes/redirect.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bool tls = (fuzz::take_choice(data, size) & 1) != 0;
  const checkers::Request from{
      .tls = tls, .target = *net::Endpoint::parse("10.0.0.7:8080"), .host = "www.example.org", .path = "/a/b?c"};
  const auto next = checkers::follow(from, 302, fuzz::as_text(data, size));
  if (!next) return 0;
  fuzz::require(next->target.address == from.target.address, "a redirect keeps the address");
  fuzz::require(next->target.port != 0, "a redirect has a port");
  fuzz::require(next->path.starts_with('/') && next->path.find_first_of(" \r\n\t") == std::string::npos,
                "a path is one word that begins with a slash");
  return 0;
}
