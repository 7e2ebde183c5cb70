// The version is written in CMakeLists.txt. What else names it must name the same.

#include <regex>

#include "net/version.h"
#include "pages.h"
#include "test/catch.h"
#include "test/unit/director/run.h"

using director_test::run;

namespace {

const std::string version(net::version());

/// What the expression's group finds in the first line that it fits.
std::string first_match(const std::string& file, const char* expression) {
  std::smatch found;
  for (const auto& line : pages::lines_of(file)) {
    if (std::regex_search(line, found, std::regex(expression))) return found[1];
  }
  return "nothing";
}

}  // namespace

TEST_CASE("the version is the project's, in all three programs") {
  CHECK(first_match("CMakeLists.txt", R"(project\(directord VERSION ([0-9.]+) )") == version);
  for (const std::string program : {"directord", "directorctl", "ipvsctl"}) {
    const auto ended = run(PROGRAMS "/" + program + " --version");
    CHECK(ended.status == 0);
    CHECK(ended.output == program + " " + version + "\n");
  }
}

TEST_CASE("the change log begins with the version") {
  CHECK(first_match("CHANGELOG.md", R"(^## ([0-9]+\.[0-9]+\.[0-9]+) \((unreleased|\d{4}-\d\d-\d\d)\)$)") == version);
}

TEST_CASE("each manual page names the version and has the same date") {
  const auto date = first_match("docs/directord.8", R"re(^\.TH \S+ \d "(\d{4}-\d\d-\d\d)" )re");
  CHECK(date != "nothing");
  for (const auto* page : {"docs/directord.8", "docs/directorctl.8", "docs/ipvsctl.8", "docs/cluster.yaml.5"}) {
    INFO(page);
    CHECK(first_match(page, R"re(^\.TH \S+ \d "[0-9-]+" "directord ([0-9.]+)")re") == version);
    CHECK(first_match(page, R"re(^\.TH \S+ \d "([0-9-]+)" )re") == date);
  }
}
