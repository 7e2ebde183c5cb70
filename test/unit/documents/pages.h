#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

/// Manual pages as tests see them.
namespace pages {

using Lines = std::vector<std::string>;

/// A file of the checkout, by lines.
Lines lines_of(const std::string& file);

/// Without roff's fonts and escapes: "\fB\-\-yes\fR" is "--yes".
std::string plain(const std::string& line);

/// The terms (the line behind .TP) of the sections whose titles begin with `section`, .SS included.
Lines terms_of(const Lines& page, const std::string& section);

/// The options that a text names: each "-h" or "--help" at the beginning of a word.
std::set<std::string> options_in(const std::string& text);

/// "# directorctl drain web/web9  (status 1)": what stands between .EX and .EE, in order.
struct Example {
  std::string command;
  int status = 0;
};
std::vector<Example> examples_of(const Lines& page);

}  // namespace pages
