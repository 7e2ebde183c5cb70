#include "director/engine/event_types.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>

#include "test/catch.h"

TEST_CASE("the table of events in docs/operations.md is the one that decides") {
  std::ifstream file(DOCS_DIR "/operations.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string table = "\n| event | level | when |\n|---|---|---|\n";
  for (const auto& type : director::event_types()) {
    table += fmt::format("| `{}` | {} | {} |\n", type.name, to_string(type.level), type.meaning);
  }
  CHECK_THAT(text, Catch::ContainsSubstring(table + "\n"));
}

TEST_CASE("kinds of events have names of their own") {
  std::set<std::string_view> names;
  for (const auto& type : director::event_types()) {
    CHECK(names.insert(type.name).second);
    CHECK(&type == &director::type_of(type.kind));
  }
}
