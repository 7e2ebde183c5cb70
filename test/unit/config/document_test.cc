#include "config/yaml/document.h"

#include <fmt/format.h>

#include "test/catch.h"

using config::Diagnostics;
using config::Document;
using config::Source;
using config::YamlNode;

namespace {

/// A tree on one line, each value with its place: {a@1:1: b@1:4}. Quoted text keeps its quotes.
std::string shown(const YamlNode& node) {
  const auto at = fmt::format("@{}:{}", node.place.line, node.place.column);
  std::string text;
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "~" + at;
    case YamlNode::Kind::scalar:
      return (node.plain ? node.text : "'" + node.text + "'") + at;
    case YamlNode::Kind::sequence:
      for (const auto& entry : node.entries) text += (text.empty() ? "" : ", ") + shown(*entry.value);
      return "[" + text + "]" + at;
    case YamlNode::Kind::map:
      for (const auto& entry : node.entries) {
        text += fmt::format("{}{}@{}:{}: {}", text.empty() ? "" : ", ", entry.name, entry.place.line,
                            entry.place.column, shown(*entry.value));
      }
      return "{" + text + "}" + at;
  }
  return "";
}

/// The tree, or what was said about it.
std::string parsed(const std::string& text) {
  const std::vector<Source> sources = {{.name = "f", .text = text}};
  Diagnostics diagnostics;
  Document document;
  const auto* root = parse(sources[0].text, 0, document, diagnostics);
  const auto said = to_string(diagnostics.in_order(sources));
  CHECK((root != nullptr || !said.empty()));
  return (root == nullptr ? "" : shown(*root)) + said;
}

}  // namespace

TEST_CASE("every value and name has its place") {
  CHECK(parsed("a: b\n") == "{a@1:1: b@1:4}@1:1");
  CHECK(parsed("a:\n  b: 'c'\n  d: [e, \"f\"]\n") == "{a@1:1: {b@2:3: 'c'@2:6, d@3:3: [e@3:7, 'f'@3:10]@3:6}@2:3}@1:1");
  CHECK(parsed("- a\n- b: c\n") == "[a@1:3, {b@2:3: c@2:6}@2:3]@1:1");
  CHECK(parsed("a: |\n  b\n") == "{a@1:1: 'b\n'@1:4}@1:1");
}

TEST_CASE("a value that is not written is where its key is") {
  CHECK(parsed("a:\nb: ~\n") == "{a@1:1: ~@1:1, b@2:1: ~@2:4}@1:1");
  CHECK(parsed("a:\n\n\n") == "{a@1:1: ~@1:1}@1:1");
}

TEST_CASE("quotes, byte order marks and line ends do not matter") {
  CHECK(parsed("\xef\xbb\xbf"
               "a: b\n") == "{a@1:1: b@1:4}@1:1");
  CHECK(parsed("a: b\r\nc: d\r\n") == "{a@1:1: b@1:4, c@2:1: d@2:4}@1:1");
  CHECK(parsed("'a': b") == "{a@1:1: b@1:6}@1:1");
}

TEST_CASE("an alias is the value of its anchor, with that one's place") {
  CHECK(parsed("a: &x {b: c}\nd: *x\n") == "{a@1:1: {b@1:8: c@1:11}@1:4, d@2:1: {b@1:8: c@1:11}@1:4}@1:1");
  CHECK(parsed("a: &x b\nc: [*x]\n") == "{a@1:1: b@1:4, c@2:1: [b@1:4]@2:4}@1:1");
  CHECK(parsed("a: &x b\n*x : c\n") == "{a@1:1: b@1:4, b@2:1: c@2:6}@1:1");
}

TEST_CASE("a merge adds what the map does not say itself") {
  CHECK(parsed("a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  b: 3\n") ==
        "{a@1:1: {b@1:8: 1@1:11, c@1:14: 2@1:17}@1:4, d@2:1: {b@4:3: 3@4:6, c@1:14: 2@1:17}@3:3}@1:1");
  CHECK(parsed("<<: [{a: 1}, {a: 2, b: 3}]\n") == "{a@1:7: 1@1:10, b@1:21: 3@1:24}@1:1");
}

TEST_CASE("a duplicate key is reported and the tree goes on with the first") {
  CHECK(parsed("a: b\nc: d\na: e\n") ==
        "{a@1:1: b@1:4, c@2:1: d@2:4}@1:1"
        "f:3:1: error: duplicate key 'a'; the first is on line 1\n    a: e\n    ^\n");
}

TEST_CASE("nesting ends where a cluster file can no longer be meant") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parsed(nested(32)).starts_with("[[["));
  CHECK(parsed(nested(33)).starts_with("f:1:33: error: nested more than 32 levels deep\n"));
  CHECK(parsed(nested(100'000)).starts_with("f:1:33: error: nested more than 32 levels deep\n"));
}

TEST_CASE("quotes inside quotes do not end them") {
  CHECK(parsed("a: \"b\\\"c\"\n") == "{a@1:1: 'b\"c'@1:4}@1:1");
  CHECK(parsed("a: 'b''c'\n") == "{a@1:1: 'b'c'@1:4}@1:1");
  CHECK(parsed("a: &x 'b'\n") == "{a@1:1: 'b'@1:4}@1:1");
  for (const std::string text : {"a: \"b", "a: 'b", "a: 'b''", "a: \"b\\\"", "a: &x 'b", "'a", "[\"b"}) {
    INFO(text);
    CHECK(parsed(text).find("the quote that opens here is never closed") != std::string::npos);
  }
}

TEST_CASE("what is not UTF-8 is refused where it begins to be none") {
  for (const std::string bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                                "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3", "\xe2\x82", "\xf0\x9f\x98"}) {
    const auto said = parsed("a: " + bad + "\n");
    INFO(said);
    CHECK(said.starts_with("f:1:4: error: byte 0x"));
  }
  for (const std::string good : {"\xc3\xa4", "\xe2\x82\xac", "\xed\x9f\xbf", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(parsed("a: " + good) == "{a@1:1: " + good + "@1:4}@1:1");
  }
}
