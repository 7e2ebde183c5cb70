// A mail server's side of a probe. The first byte says in how large portions it arrives.
#include "checkers/probes/smtp.h"
#include "test/fuzz/target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::size_t portion = 1 + fuzz::take_choice(data, size) % 64;
  const std::string_view text = fuzz::as_text(data, size);
  const auto plan = checkers::SmtpPlan::prepare({});
  fuzz::require(plan.has_value(), "a plain smtp check can be prepared");
  checkers::SmtpConversation conversation(*net::Endpoint::parse("192.0.2.25:25"), *plan);
  std::string out;
  auto result = conversation.begin(out);
  for (std::size_t at = 0; !result && at < text.size(); at += portion) {
    result = conversation.receive(text.substr(at, portion), out);
  }
  if (!result) result = conversation.closed();
  fuzz::require(!result->sentence.empty(), "a verdict says why");
  return 0;
}
