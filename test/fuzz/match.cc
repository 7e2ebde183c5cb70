// What a check waits for in what a server sends: a first line with the expression, then the server's bytes. The first
// byte chooses text or regular expression, and in how large portions the bytes arrive.
#include "checkers/probes/match.h"
#include "test/fuzz/target.h"

using namespace checkers;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t choice = fuzz::take_choice(data, size);
  const std::string_view text = fuzz::as_text(data, size);
  const std::string_view what = text.substr(0, text.find('\n'));
  const std::string_view bytes = text.substr(std::min(text.size(), what.size() + 1));
  constexpr std::size_t limit = 4096;
  const auto matcher = Matcher::prepare(
      {.what = std::string(what), .kind = choice >= 128 ? Match::Kind::regex : Match::Kind::text}, limit);
  if (!matcher) return 0;
  LoopAllowance allowance;
  Search search(*matcher, limit, allowance);
  const auto is_found = [&](Search::Found found) {
    if (found == Search::Found::slow) found = search.take(search.slow_search().run());
    return found == Search::Found::yes;
  };
  bool found = false;
  const std::size_t portion = 1 + choice % 64;
  for (std::size_t at = 0; !found && at < bytes.size(); at += portion)
    found = is_found(search.feed(bytes.substr(at, portion)));
  if (!found) found = is_found(search.finish());
  if (!matcher->is_regex() && !what.empty()) {
    fuzz::require(found == bytes.substr(0, limit).contains(what), "text is found where it stands");
  }
  return 0;
}
