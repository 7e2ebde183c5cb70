#include <set>

#include "config/load.h"
#include "test/catch.h"
#include "test/unit/config/corpus.h"

namespace {

std::filesystem::path expected_beside(std::filesystem::path file) { return file.replace_extension(".expected"); }

}  // namespace

TEST_CASE("each broken file is refused with exactly its message") {
  const auto files = corpus::files(corpus::folder("broken"));
  CHECK(files.size() >= 80);
  for (const auto& file : files) {
    INFO(file.filename());
    CHECK_FALSE(config::load(file));
    CHECK(corpus::said_about(file) == corpus::text_of(expected_beside(file)));
  }
}

TEST_CASE("each good file is accepted, with no more than its warnings") {
  const auto files = corpus::files(corpus::folder("good"));
  CHECK(files.size() >= 20);
  for (const auto& file : files) {
    INFO(file.filename());
    CHECK(config::load(file));
    CHECK(corpus::said_about(file) == corpus::text_of(expected_beside(file)));
  }
}

TEST_CASE("each example of the documentation is accepted without a warning") {
  const auto files = corpus::files(EXAMPLES_DIR);
  CHECK(files.size() >= 5);
  for (const auto& file : files) CHECK(corpus::said_about(file) == "");
}

TEST_CASE("each cluster file that a document shows is accepted without a warning") {
  std::size_t shown = 0;
  const auto docs = std::filesystem::path(EXAMPLES_DIR).parent_path();
  for (const auto& document : {docs / "configuration.md", docs.parent_path() / "README.md"}) {
    const auto text = corpus::text_of(document);
    constexpr std::string_view begin = "```yaml\n";
    for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at)) {
      at += begin.size();
      const auto block = text.substr(at, text.find("```", at) - at);
      if (!block.starts_with("cluster:")) continue;
      INFO(document << ":\n" << block);
      const auto loaded = config::load_text("cluster.yaml", block);
      CHECK(loaded);
      if (loaded) CHECK(loaded->warnings.empty());
      ++shown;
    }
  }
  CHECK(shown == 2);
}

TEST_CASE("no expectation is without its file") {
  for (const auto* name : {"broken", "good"}) {
    for (const auto& entry : std::filesystem::directory_iterator(corpus::folder(name))) {
      if (entry.path().extension() != ".expected") continue;
      INFO(entry.path().filename());
      CHECK(std::filesystem::exists(std::filesystem::path(entry.path()).replace_extension(".yaml")));
    }
  }
}

// Run by hand after a message was changed on purpose: config_unit "[rewrite]"; then read the difference.
TEST_CASE("the corpus' expectations are rewritten", "[.][rewrite]") {
  for (const auto* name : {"broken", "good"}) {
    for (const auto& file : corpus::files(corpus::folder(name))) {
      const auto said = corpus::said_about(file);
      if (!said.empty()) corpus::write(expected_beside(file), said);
      SUCCEED();
    }
  }
}
