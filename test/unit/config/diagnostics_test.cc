#include "config/yaml/diagnostics.h"
#include "test/catch.h"

using config::Diagnostic;
using config::Diagnostics;
using config::Place;
using config::Severity;
using config::Source;

TEST_CASE("a diagnostic shows its line with a caret below the column") {
  const Diagnostic error = {.file = "a.yaml", .line = 3, .column = 5, .message = "no", .source = "x:  yz"};
  CHECK(to_string(error) == "a.yaml:3:5: error: no\n    x:  yz\n        ^");
  const Diagnostic warning = {.severity = Severity::warning, .file = "a.yaml", .message = "hm", .source = ""};
  CHECK(to_string(warning) == "a.yaml: warning: hm");
}

TEST_CASE("columns count characters, and what is no text does not reach the terminal") {
  const std::vector<Source> sources = {{.name = "a", .text = "x\n\xc3\xa4\xff\x1b\xc2\x9b: b\r\n"}};
  Diagnostics diagnostics;
  diagnostics.error({.source = 0, .line = 2, .column = 9}, "here");
  const auto found = diagnostics.in_order(sources);
  REQUIRE(found.size() == 1);
  CHECK(found[0].column == 7);
  CHECK(to_string(found[0]) == "a:2:7: error: here\n    \xc3\xa4?  : b\n          ^");
}

TEST_CASE("a long line is cut around the column") {
  const Diagnostic error = {.file = "a",
                            .line = 1,
                            .column = 301,
                            .message = "m",
                            .source = std::string(300, 'x') + "!" + std::string(300, 'y')};
  const auto text = to_string(error);
  const auto line = text.substr(text.find('\n') + 1);
  const auto caret = line.substr(line.find('\n') + 1);
  CHECK(line.size() < 250);
  CHECK(line[caret.size() - 1] == '!');
}

TEST_CASE("of a line of many bytes a part is kept, and the caret stays in its place") {
  std::string text(50'000, 'x');
  text[40'000] = '!';
  const std::vector<Source> sources = {{.name = "a", .text = text}};
  Diagnostics diagnostics;
  diagnostics.error({.source = 0, .line = 1, .column = 40'001}, "m");
  const auto found = diagnostics.in_order(sources);
  REQUIRE(found.size() == 1);
  CHECK(found[0].column == 40'001);
  CHECK(found[0].source.size() < 2000);
  const auto shown = to_string(found[0]);
  const auto line = shown.substr(shown.find('\n') + 1);
  const auto caret = line.substr(line.find('\n') + 1);
  CHECK(line[caret.size() - 1] == '!');
}

TEST_CASE("findings come in the order of the files, each place once") {
  const std::vector<Source> sources = {{.name = "a", .text = "1\n2\n3\n"}, {.name = "b", .text = "1\n"}};
  Diagnostics diagnostics;
  diagnostics.error({.source = 1, .line = 1, .column = 1}, "fourth");
  diagnostics.error({.source = 0, .line = 3, .column = 1}, "third");
  diagnostics.warning({.source = 0, .line = 2, .column = 1}, "second");
  CHECK_FALSE(diagnostics.has_error_at({.source = 0, .line = 2, .column = 1}));
  diagnostics.error({.source = 0, .line = 1, .column = 1}, "first");
  diagnostics.error({.source = 0, .line = 1, .column = 1}, "a cascade of the first");
  diagnostics.warning({.source = 0, .line = 1, .column = 1}, "another");
  std::string order;
  for (const auto& each : diagnostics.in_order(sources)) order += each.file + ":" + each.message + " ";
  CHECK(order == "a:first a:second a:third b:fourth ");
  CHECK(diagnostics.has_errors());
}

TEST_CASE("many findings are counted, not shown") {
  const std::vector<Source> sources = {{.name = "a", .text = std::string(5000, '\n')}};
  Diagnostics diagnostics;
  for (std::uint32_t line = 1; line <= 5000; ++line) diagnostics.error({.source = 0, .line = line, .column = 1}, "no");
  const auto found = diagnostics.in_order(sources);
  REQUIRE(found.size() == 101);
  CHECK(found[99].line == 100);
  CHECK(to_string(found[100]) == "a: error: 4900 more messages are not shown");
}

TEST_CASE("text is quoted fit for a message") {
  CHECK(config::in_quotes("web") == "'web'");
  CHECK(config::in_quotes("a\nb\x1b[0m") == "'a\\nb\\x1b[0m'");
  CHECK(config::in_quotes("\xff\xc2\x9b\xc3\xa4") == "'\\xff\\xc2\\x9b\xc3\xa4'");
  CHECK(config::in_quotes(std::string(61, 'x')) == "'" + std::string(60, 'x') + "...'");
}

TEST_CASE("names are listed as a sentence lists them") {
  CHECK(config::listed(std::vector<std::string>{}) == "none");
  CHECK(config::listed(std::vector<std::string>{"a"}) == "a");
  CHECK(config::listed(std::vector<std::string>{"a", "b"}, "or") == "a or b");
  CHECK(config::listed(std::vector<std::string>{"a", "b", "c"}) == "a, b and c");
}

TEST_CASE("the nearest known name is found") {
  const std::vector<std::string> known = {"interval", "timeout", "rise", "fall", "rr", "wrr"};
  CHECK(config::nearest("intervall", known) == "interval");
  CHECK(config::nearest("Timeout", known) == "timeout");
  CHECK(config::nearest("tiemout", known) == "timeout");
  CHECK(config::nearest("wwr", known) == "wrr");
  CHECK(config::nearest("colour", known).empty());
  CHECK(config::nearest("", known).empty());
  CHECK(config::nearest(std::string(100'000, 'x'), known).empty());
  CHECK(config::suggestion("raise", known) == "; did you mean 'rise'?");
  CHECK(config::suggestion("colour", known) == "; known are interval, timeout, rise, fall, rr and wrr");
  CHECK(config::suggestion("colour", {}) == "; none is defined");
}
