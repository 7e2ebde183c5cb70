// A web server's answer to a probe. The first byte says in how large portions it arrives.
#include "checkers/probes/http_response.h"
#include "test/fuzz/target.h"

using checkers::HttpResponse;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t choice = fuzz::take_choice(data, size);
  const std::string_view text = fuzz::as_text(data, size);
  const HttpResponse::Options options{.bodiless = choice >= 128, .keep_fields = true};

  HttpResponse whole(options), parts(options);
  std::string whole_body, parts_body;
  whole.feed(text, whole_body);
  const std::size_t portion = 1 + choice % 64;
  for (std::size_t at = 0; at < text.size(); at += portion) parts.feed(text.substr(at, portion), parts_body);
  fuzz::require(whole.state() == parts.state() && whole.status() == parts.status() && whole_body == parts_body &&
                    whole.fields() == parts.fields() && whole.error() == parts.error(),
                "portions do not matter");
  fuzz::require(whole.close() == parts.close(), "nor when the peer closes");
  return 0;
}
