// The manual page's examples are executed: those of a section in order, in a namespace of its own.
#include <cstdlib>
#include <fstream>
#include <set>

#include "test/catch.h"
#include "test/interop/namespace.h"
#include "test/interop/program.h"

namespace {

struct Example {
  std::string command;
  int status = 0;
};

/// "# ipvsctl \-C  (status 1)": the command without roff's escapes, and how it ends.
Example parse_example(std::string line) {
  Example example;
  line.erase(0, 2);
  if (const std::size_t status = line.find("  (status "); status != line.npos) {
    example.status = std::stoi(line.substr(status + 10));
    line.resize(status);
  }
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '\\') example.command += line[at];
  }
  return example;
}

}  // namespace

TEST_CASE("every example of ipvsctl(8) does what it says, and every verb has one") {
  std::ifstream page("docs/ipvsctl.8");
  if (!page) FAIL("cannot read docs/ipvsctl.8; run this from the checkout");
  const std::string program = IPVSCTL;
  const std::string path = "PATH=" + program.substr(0, program.rfind('/')) + ":$PATH; ";
  std::set<std::string> verbs;
  bool in_example = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(".SH") || line.starts_with(".SS")) enter_fresh_namespace();
    if (line == ".EX" || line == ".EE") in_example = line == ".EX";
    if (!in_example || !line.starts_with("# ")) continue;
    const Example example = parse_example(line);
    INFO(example.command);
    const Outcome outcome = run_program({"sh", "-c", path + example.command});
    INFO(outcome.err);
    CHECK(outcome.status == example.status);
    const std::size_t verb = example.command.find("ipvsctl ");
    REQUIRE(verb != std::string::npos);
    const std::string rest = example.command.substr(verb + 8);
    verbs.insert(rest.substr(0, rest.find(' ')));
  }
  for (const char* verb : {"-A",
                           "-E",
                           "-D",
                           "-a",
                           "-e",
                           "-d",
                           "-L",
                           "-S",
                           "-R",
                           "--batch",
                           "-C",
                           "-Z",
                           "diff",
                           "apply",
                           "watch",
                           "--set",
                           "--start-daemon",
                           "--stop-daemon",
                           "-h",
                           "-v"}) {
    INFO(verb);
    CHECK(verbs.contains(verb));
  }
}
