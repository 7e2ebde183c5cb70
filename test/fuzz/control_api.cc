// Requests to the control API, apart by lines of "---": a line "METHOD PATH [since]", then the body.
#include "director/control/api.h"
#include "director/engine/engine.h"
#include "ipvs/memory_kernel.h"
#include "net/kernel_host.h"
#include "test/fuzz/target.h"
#include "test/unit/director/shop.h"

namespace {

std::string_view take_until(std::string_view& text, std::string_view end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), part.size() + end.size()));
  return part;
}

director::Request request_of(std::string_view text) {
  std::string_view line = take_until(text, "\n");
  director::Request request{.method = std::string(take_until(line, " ")),
                            .path = std::string(take_until(line, " ")),
                            .body = std::string(text)};
  if (!line.empty()) request.query["since"] = line;
  return request;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto loop = net::Loop::create();
  fuzz::require(loop.has_value(), "there is a loop");
  ipvs::MemoryKernel kernel;
  net::KernelHost host;
  director::Engine director(*loop, kernel, host, director_test::shop(),
                            {.node = director_test::lb1(), .state_file = {}, .dry_run = true});
  fuzz::require(director.start().has_value(), "a director starts on an empty table");
  for (std::string_view text = fuzz::as_text(data, size); !text.empty();) {
    const director::Request request = request_of(take_until(text, "\n---\n"));
    const director::Response response = director::answer(director, request);
    fuzz::require(response.status >= 200 && response.status < 600 && response.body.ends_with("}\n"),
                  "every request is answered with an object");
    fuzz::require(loop->turn({}).has_value(), "the loop turns");
  }
  return 0;
}
