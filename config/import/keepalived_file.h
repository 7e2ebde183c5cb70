#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net/error.h"

namespace config {

/// A line of keepalived.conf and, where it opened braces, what lies between them.
struct Statement {
  int line = 0;
  std::vector<std::string> words;
  std::vector<Statement> body{};

  [[nodiscard]] std::string_view keyword() const { return words.empty() ? std::string_view() : words.front(); }
  [[nodiscard]] std::string word(std::size_t index) const {
    return index < words.size() ? words[index] : std::string();
  }

  /// The first statement of that keyword in the body; null if there is none.
  [[nodiscard]] const Statement* find(std::string_view keyword) const;
  /// Its word behind the keyword; empty if there is none.
  [[nodiscard]] std::string value(std::string_view keyword) const;
};

/// Reads the whole file: comments begin with '#' or '!', words may be quoted. Errors: a brace too many or too few, or
/// more than 16 levels of them.
[[nodiscard]] net::Result<Statement> read_keepalived_file(std::string_view text);

}  // namespace config
