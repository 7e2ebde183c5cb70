// Whatever happens to a cluster file, loading it ends, with a cluster or with an error at a place that exists.

#include <algorithm>
#include <random>

#include "config/load.h"
#include "test/catch.h"
#include "test/unit/config/corpus.h"

namespace {

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t bound) {
  return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
}

/// One small accident: a byte lost, flipped, doubled or replaced by one that means something in YAML; a line lost,
/// doubled or indented; the end torn off.
void damage(std::string& text, Random& random) {
  if (text.empty()) return;
  const auto at = below(random, text.size());
  const auto line = text.rfind('\n', at) + 1;  // npos + 1 is 0: the first line
  const auto line_end = std::min(text.find('\n', at), text.size() - 1) + 1;
  constexpr std::string_view meaningful = "{}[]:,-#&*!|>'\"%@`?~ \t\n\r<0\x80\xc3";
  switch (below(random, 8)) {
    case 0:
      text.erase(at, 1);
      break;
    case 1:
      text[at] = static_cast<char>(text[at] ^ (1 << below(random, 8)));
      break;
    case 2:
      text.insert(at, 1, text[at]);
      break;
    case 3:
      text[at] = meaningful[below(random, meaningful.size())];
      break;
    case 4:
      if (line < line_end) text.erase(line, line_end - line);
      break;
    case 5:
      if (line < line_end) text.insert(line, text.substr(line, line_end - line));
      break;
    case 6:
      text.insert(line, below(random, 4) + 1, ' ');
      break;
    default:
      text.resize(at);
  }
}

/// The refusal's promises: an error among it, in order, each at a place of the text.
void check_refusal(const config::Refusal& refusal, const std::string& text) {
  const auto lines = static_cast<std::uint32_t>(std::ranges::count(text, '\n')) + 1;
  bool has_error = false;
  for (const auto& each : refusal) {
    has_error = has_error || each.severity == config::Severity::error;
    REQUIRE(each.line <= lines);
    REQUIRE_FALSE(each.message.empty());
    REQUIRE(to_string(each).size() < 3000);
  }
  REQUIRE(has_error);
  REQUIRE(std::ranges::is_sorted(refusal.begin(), refusal.end() - (refusal.size() > 100 ? 1 : 0), {},
                                 [](const auto& each) { return std::pair(each.line, each.column); }));
}

}  // namespace

TEST_CASE("a damaged file is refused or read, and never more than that") {
  constexpr unsigned seed = 20240607;
  constexpr int rounds = 60;
  Random random(seed);
  int refused = 0;
  int accepted = 0;
  auto files = corpus::files(corpus::folder("good"));
  std::ranges::copy(corpus::files(EXAMPLES_DIR), std::back_inserter(files));
  for (const auto& file : files) {
    const auto whole = corpus::text_of(file);
    for (int round = 0; round < rounds; ++round) {
      auto text = whole;
      for (auto accidents = below(random, 4) + 1; accidents > 0; --accidents) damage(text, random);
      INFO("seed " << seed << ", " << file.filename() << ", round " << round << ":\n" << text);
      const auto loaded = config::load_text("damaged", text);
      if (!loaded) check_refusal(loaded.error(), text);
      ++(loaded ? accepted : refused);
    }
  }
  // Neither side may become so rare that the test no longer shows anything.
  CHECK(refused > 500);
  CHECK(accepted > 50);
}

TEST_CASE("every beginning of a file is refused or read") {
  const auto whole = corpus::text_of(std::filesystem::path(EXAMPLES_DIR) / "shop.yaml");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto text = whole.substr(0, size);
    INFO("the first " << size << " bytes");
    const auto loaded = config::load_text("torn", text);
    if (!loaded) check_refusal(loaded.error(), text);
  }
  CHECK(config::load_text("whole", whole));
}

TEST_CASE("any bytes are refused") {
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    std::string text(below(random, 200) + 1, '\0');
    for (auto& byte : text) byte = static_cast<char>(below(random, 256));
    const auto loaded = config::load_text("noise", text);
    REQUIRE_FALSE(loaded);
    check_refusal(loaded.error(), text);
  }
}
