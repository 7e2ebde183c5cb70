#include "test/unit/config/manual.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

#include "net/version.h"

namespace manual {
namespace {

constexpr std::string_view head =
    ".\\\" Made from docs/configuration.md by test/unit/config/reference_test.cc: change that, not this.\n"
    ".TH CLUSTER.YAML 5 \"2026-11-27\" \"directord {}\" \"File formats\"\n"
    ".SH NAME\n"
    "cluster.yaml \\- the cluster file of directord\n"
    ".SH SYNOPSIS\n"
    ".I /etc/directord/cluster.yaml\n"
    ".SH DESCRIPTION\n";

constexpr std::string_view tail =
    ".SH SEE ALSO\n"
    ".BR directord (8),\n"
    ".BR directorctl (8),\n"
    ".BR ipvsctl (8)\n"
    ".PP\n"
    "Examples and the other documents are in\n"
    ".I share/doc/directord\n"
    "of the installation.\n";

/// Characters that roff would take for its own or change.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '`':
        out += "\\(ga";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// A line of its own must not begin as a request does.
std::string guarded(std::string line) { return line.starts_with('.') ? "\\&" + line : line; }

/// "see [key](#key), **always** `code`" in roff: what stands between marks becomes bold, a link its text alone.
std::string inline_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto take = [&](std::string_view open, std::string_view close) -> std::string_view {
      if (!text.starts_with(open)) return {};
      const auto end = text.find(close, open.size());
      if (end == std::string_view::npos) return {};
      const auto inner = text.substr(open.size(), end - open.size());
      text.remove_prefix(end + close.size());
      return inner;
    };
    if (const auto code = take("`", "`"); !code.empty()) {
      out += "\\fB" + escaped(code) + "\\fR";
    } else if (const auto bold = take("**", "**"); !bold.empty()) {
      out += "\\fB" + escaped(bold) + "\\fR";
    } else if (const auto link = take("[", "]("); !link.empty()) {
      out += escaped(link);
      text.remove_prefix(std::min(text.size(), text.find(')') + 1));
    } else {
      out += escaped(text.substr(0, 1));
      text.remove_prefix(1);
    }
  }
  return out;
}

/// The cells of a table's row; "\|" is no border.
std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::string cell;
  for (std::size_t at = 1; at < row.size(); ++at) {
    if (row[at] == '\\' && at + 1 < row.size() && row[at + 1] == '|') {
      cell += row[++at];
    } else if (row[at] == '|') {
      cells.push_back(cell.size() >= 2 ? cell.substr(1, cell.size() - 2) : "");
      cell.clear();
    } else {
      cell += row[at];
    }
  }
  return cells;
}

/// The first cell is the term, the second its meaning, the others stand behind their columns' names.
std::string entry(const std::vector<std::string>& columns, const std::vector<std::string>& cells) {
  std::string text = ".TP\n" + inline_text(cells.front()) + "\n" + guarded(inline_text(cells.at(1))) + ".\n.br\n";
  std::string more;
  for (std::size_t column = 2; column < cells.size(); ++column) {
    if (cells[column].find_first_not_of(' ') == std::string::npos) continue;
    auto name = columns.at(column);
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    more += fmt::format("{}{}: {}", more.empty() ? "" : "; ", more.empty() ? name : columns[column],
                        inline_text(cells[column]));
  }
  return text + guarded(more) + ".\n";
}

class Page {
 public:
  void line(const std::string& line) {
    if (line.starts_with("```")) return fence();
    if (in_block_) return code(line);
    if (line.starts_with("<!--") || line.starts_with("# ")) return;
    if (line.starts_with("## ")) return heading(".SH ", upper(line.substr(3)));
    if (line.starts_with("### ")) return heading(".SS ", line.substr(4));
    if (line.starts_with("|")) return row(cells_of(line));
    columns_.clear();
    if (line.starts_with("- ")) {
      text_ += ".IP \\(bu 2\n" + guarded(inline_text(line.substr(2))) + "\n";
      fresh_ = true;
      after_heading_ = false;
    } else if (line.empty()) {
      fresh_ = after_heading_;
    } else {
      if (!fresh_) text_ += ".PP\n";
      fresh_ = true;
      after_heading_ = false;
      text_ += guarded(inline_text(line.substr(line.find_first_not_of(' ')))) + "\n";
    }
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  static std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
  }

  void fence() {
    in_block_ = !in_block_;
    text_ += in_block_ ? ".PP\n.RS 4\n.EX\n" : ".EE\n.RE\n";
    fresh_ = after_heading_ = false;
  }

  void code(const std::string& line) { text_ += guarded(escaped(line)) + "\n"; }

  void heading(std::string_view request, const std::string& title) {
    text_ += fmt::format("{}{}\n", request, escaped(title));
    columns_.clear();
    fresh_ = after_heading_ = true;
  }

  void row(const std::vector<std::string>& cells) {
    if (columns_.empty()) {
      columns_ = cells;
    } else if (!cells.front().starts_with('-') && !cells.front().empty()) {
      text_ += entry(columns_, cells);
    }
    fresh_ = after_heading_ = false;
  }

  std::string text_;
  std::vector<std::string> columns_;  ///< of the table that is being read
  bool in_block_ = false;
  bool fresh_ = true;          ///< the paragraph has begun
  bool after_heading_ = true;  ///< which begins the first paragraph
};

}  // namespace

std::string of(const std::string& markdown) {
  Page page;
  std::istringstream lines(markdown);
  for (std::string line; std::getline(lines, line);) page.line(line);
  return fmt::format(head, net::version()) + page.text() + std::string(tail);
}

}  // namespace manual
