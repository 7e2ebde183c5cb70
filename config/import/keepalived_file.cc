#include "config/import/keepalived_file.h"

#include <fmt/format.h>

#include <algorithm>

namespace config {
namespace {

constexpr std::size_t deepest = 16;

/// Takes the next word of a line: "{", "}", a quoted one without its quotes, or what stands between spaces.
std::string take_word(std::string_view& line) {
  if (line.front() == '{' || line.front() == '}') {
    std::string brace(1, line.front());
    line.remove_prefix(1);
    return brace;
  }
  if (line.front() == '"') {
    line.remove_prefix(1);
    const std::size_t end = std::min(line.find('"'), line.size());
    std::string word(line.substr(0, end));
    line.remove_prefix(std::min(line.size(), end + 1));
    return word;
  }
  const std::size_t end = std::min(line.find_first_of(" \t\r{}\""), line.size());
  std::string word(line.substr(0, end));
  line.remove_prefix(end);
  return word;
}

class FileReader {
 public:
  net::Result<Statement> read(std::string_view text) {
    for (int number = 1; !text.empty(); ++number) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      if (auto done = read_line(line, number); !done) return std::unexpected(std::move(done.error()));
    }
    if (open_.size() > 1) return net::failure(fmt::format("line {}: this brace is not closed", open_.back().line));
    return std::move(open_.front());
  }

 private:
  net::Result<> read_line(std::string_view line, int number) {
    Statement statement{.line = number, .words = {}};
    while (true) {
      line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
      if (line.empty() || line.front() == '#' || line.front() == '!') break;
      std::string word = take_word(line);
      if (word == "{") {
        if (open_.size() > deepest) return net::failure(fmt::format("line {}: braces are nested too deep", number));
        if (statement.words.empty()) reopen(statement);
        open_.push_back(std::move(statement));
        statement = {.line = number, .words = {}};
      } else if (word == "}") {
        finish(statement);
        if (open_.size() == 1)
          return net::failure(fmt::format("line {}: closing brace without an opening brace", number));
        Statement closed = std::move(open_.back());
        open_.pop_back();
        open_.back().body.push_back(std::move(closed));
      } else {
        statement.words.push_back(std::move(word));
      }
    }
    finish(statement);
    return {};
  }

  /// The brace stands on a line of its own, behind the one that it belongs to.
  void reopen(Statement& statement) {
    auto& body = open_.back().body;
    if (body.empty() || !body.back().body.empty()) return;
    statement = std::move(body.back());
    body.pop_back();
  }

  void finish(Statement& statement) {
    const auto line = statement.line;
    if (!statement.words.empty()) open_.back().body.push_back(std::move(statement));
    statement = {.line = line, .words = {}};
  }

  std::vector<Statement> open_ = std::vector<Statement>(1);
};

}  // namespace

const Statement* Statement::find(std::string_view keyword) const {
  const auto found = std::ranges::find(body, keyword, &Statement::keyword);
  return found == body.end() ? nullptr : &*found;
}

std::string Statement::value(std::string_view keyword) const {
  const Statement* found = find(keyword);
  return found ? found->word(1) : std::string();
}

net::Result<Statement> read_keepalived_file(std::string_view text) { return FileReader().read(text); }

}  // namespace config
