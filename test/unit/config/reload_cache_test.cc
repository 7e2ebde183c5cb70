#include "config/reload_cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <random>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/service_chunks.h"
#include "test/catch.h"
#include "test/unit/config/corpus.h"

namespace {

/// A folder with a cluster file, and another that it includes.
class Files {
 public:
  Files() : folder_(std::filesystem::temp_directory_path() / fmt::format("config-memory-{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~Files() { std::filesystem::remove_all(folder_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  [[nodiscard]] std::string main() const { return folder_ / "cluster.yaml"; }
  void write(const std::string& name, const std::string& text) const { corpus::write(folder_ / name, text); }

 private:
  std::filesystem::path folder_;
};

const std::string main_text =
    "cluster: shop\ninclude: '*.part'\ndefaults: { server: { weight: 7 } }\nnodes: &nodes\n"
    "  lb1: { address: 198.51.100.1 }\n# the services\nservices:\n  # first\n";
const std::string tail = "director: { on_stop: clear }\n";

std::string service(int n) {
  return fmt::format(
      "  s{0}:  # the {0}th\n    listen: 192.0.2.{0}:80\n    scheduler: wlc\n    check: {{ tcp: }}\n    servers:\n"
      "      a: {{ address: 10.0.{0}.1, weight: 3 }}\n      # beside it\n      b(1-3): {{ address: 10.0.{0}.(11-13) "
      "}}\n\n",
      n);
}

std::string text_of(const std::vector<int>& services) {
  std::string text = main_text;
  for (const int n : services) text += service(n);
  return text + tail;
}

std::string said(const std::expected<config::Loaded, config::Refusal>& loaded) {
  return loaded ? to_string(loaded->warnings) : to_string(loaded.error());
}

/// Reads the file again and anew, and holds both to be the same.
std::expected<config::Loaded, config::Refusal> again(const std::string& file, const config::Loaded& known) {
  auto loaded = config::reload(file, known.cache, known.cluster.services);
  const auto anew = config::load(file);
  CHECK(said(loaded) == said(anew));
  CHECK(loaded.has_value() == anew.has_value());
  if (loaded && anew) {
    CHECK(loaded->cluster == anew->cluster);
    CHECK(loaded->files == anew->files);
  }
  return loaded;
}

}  // namespace

TEST_CASE("a source is taken apart at its services") {
  const std::string text = text_of({1, 2});
  const auto parts = config::split(text);
  CHECK(parts.before == text.substr(0, text.find("services:\n")));
  CHECK(parts.title == "services:\n  # first\n");
  REQUIRE(parts.chunks.size() == 2);
  CHECK(parts.chunks[0].text == service(1));
  CHECK(parts.chunks[1].text == service(2));
  CHECK(parts.chunks[1].line == 18);
  CHECK(parts.chunks[1].column == 3);
  CHECK(parts.after == tail);
  for (const auto* other : {"", "services:", "services: {}", "services:\n", "services:\n   a:\n  b:\n", "x: y\n",
                            "services: { a:\n  b: c }\n", "services:\n\ta: b\n"}) {
    INFO(other);
    CHECK(config::split(other).chunks.empty());
    CHECK(config::split(other).before == other);
  }
}

TEST_CASE("only services whose text is new are read again") {
  const Files files;
  files.write("cluster.yaml", text_of({1, 2, 3}));
  files.write("one.part", "services:\n" + service(9));
  auto loaded = config::load(files.main());
  REQUIRE(loaded);
  CHECK(loaded->services_read == 4);
  CHECK(again(files.main(), *loaded)->services_read == 0);

  SECTION("one changed, another moved and one gone") {
    auto text = text_of({3, 1});
    text.replace(text.find("weight: 3"), 9, "weight: 5");
    files.write("cluster.yaml", text);
    loaded = again(files.main(), *loaded);
    REQUIRE(loaded);
    CHECK(loaded->services_read == 1);
    CHECK(again(files.main(), *loaded)->services_read == 0);
  }
  SECTION("a file with services more") {
    files.write("two.part", "# more\nservices:\n" + service(10) + service(11));
    loaded = again(files.main(), *loaded);
    CHECK(loaded->services_read == 2);
    CHECK(again(files.main(), *loaded)->services_read == 0);
  }
  SECTION("what all services depend on") {
    auto text = text_of({1, 2, 3});
    text.replace(text.find("weight: 7"), 9, "weight: 8");
    files.write("cluster.yaml", text);
    loaded = again(files.main(), *loaded);
    CHECK(loaded->services_read == 4);
    CHECK(loaded->cluster.services[0].servers[1].weight == 8);
  }
  SECTION("a name twice, an address twice, and an error") {
    files.write("two.part", "services:\n" + service(1));
    CHECK_FALSE(again(files.main(), *loaded));
    auto other = service(1);
    other.replace(other.find("s1"), 2, "s7");
    files.write("two.part", "services:\n" + other);
    CHECK_FALSE(again(files.main(), *loaded));
    files.write("two.part", "services:\n  s7: { lisden: x }\n");
    CHECK_FALSE(again(files.main(), *loaded));
  }
  SECTION("an anchor in a service that another's alias means") {
    auto text = text_of({1, 2, 3});
    text.replace(text.find("{ tcp: }"), 8, "&probe { tcp: }");
    text.replace(text.rfind("{ tcp: }"), 8, "*probe");
    files.write("cluster.yaml", text);
    loaded = again(files.main(), *loaded);
    REQUIRE(loaded);
    CHECK(loaded->cache.empty());
    text.replace(text.find("&probe { tcp: }"), 15, "&probe { tcp: , fall: 9 }");
    files.write("cluster.yaml", text);
    loaded = again(files.main(), *loaded);
    CHECK(loaded->cluster.services[2].checks[0].thresholds.fall == 9);
  }
}

TEST_CASE("a good file of any form that is read again says the same") {
  for (const auto& file : corpus::files(corpus::folder("good"))) {
    INFO(file.filename());
    const auto loaded = config::load(file);
    REQUIRE(loaded);
    const auto second = again(file, *loaded);
    if (!loaded->cache.empty()) CHECK(second->services_read == 0);
  }
}

TEST_CASE("after any edit, what is read again is what is read anew") {
  const Files files;
  std::mt19937 random(20261121);
  const auto pick = [&](std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(random); };
  const std::vector<std::string> snippets = {"services:\n",
                                             "  x: &a b\n",
                                             "  s1: *a\n",
                                             "    check: \"\n",
                                             "  \"s7\":\n",
                                             "    |\n",
                                             "---\n",
                                             "# c\n",
                                             "\n",
                                             "nodes: *nodes\n",
                                             "    <<: *nodes\n",
                                             "  s8: { listen: 192.0.2.88:80,\n",
                                             "  servers: { a: { address: 10.0.0.1 } } }\n",
                                             "...\n",
                                             "    weight: 1\n",
                                             service(20),
                                             service(21),
                                             service(22)};
  const std::string letters = " :#{}[]&*'\"|>-\n\tax9,?!";

  files.write("one.part", "services:\n" + service(9));
  std::string good;
  config::Loaded known;
  int accepted = 0, cheap = 0;
  for (int i = 0; i < 4000; ++i) {
    if (i % 40 == 0) {  // before nothing but noise is left
      good = text_of({1, 2, 3, 4});
      files.write("cluster.yaml", good);
      known = *config::load(files.main());
    }
    std::string text = good;
    switch (pick(5)) {
      case 0:
        text[pick(text.size())] = letters[pick(letters.size())];
        break;
      case 1:
        text.insert(pick(text.size()), 1, letters[pick(letters.size())]);
        break;
      case 2:
        text.erase(pick(text.size()), 1 + pick(40));
        break;
      case 3: {  // a whole line or service more
        const auto at = text.find('\n', pick(text.size()));
        if (at != std::string::npos) text.insert(at + 1, snippets[pick(snippets.size())]);
        break;
      }
      default: {  // some lines elsewhere
        const auto from = text.find('\n', pick(text.size())) + 1;
        const auto lines = text.substr(from, text.find('\n', std::min(from + pick(200), text.size() - 1)) + 1 - from);
        text.erase(from, lines.size());
        text.insert(text.find('\n', pick(text.size())) + 1, lines);
      }
    }
    files.write("cluster.yaml", text);
    INFO(text);
    auto loaded = again(files.main(), known);
    if (!loaded) continue;
    ++accepted;
    if (!known.cache.empty() && loaded->services_read < loaded->cluster.services.size()) ++cheap;
    if (loaded->cluster.services.size() < 3 || text.size() > 4000 || loaded->cache.empty()) continue;
    good = text;
    known = *std::move(loaded);
  }
  CHECK(accepted > 500);
  CHECK(cheap > 200);
}
