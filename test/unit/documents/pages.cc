#include "pages.h"

#include <fstream>
#include <regex>

#include "test/catch.h"

namespace pages {

Lines lines_of(const std::string& file) {
  std::ifstream in(file);
  if (!in) FAIL("cannot read " << file << "; run this from the checkout");
  Lines lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string plain(const std::string& line) {
  std::string out;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '\\') {
      out += line[at];
    } else if (++at < line.size()) {
      if (line[at] == 'f') {
        ++at;  // the font's letter
      } else {
        out += line[at];
      }
    }
  }
  return out;
}

Lines terms_of(const Lines& page, const std::string& section) {
  Lines terms;
  bool inside = false;
  bool is_term = false;
  for (const auto& line : page) {
    if (line.starts_with(".SH ")) inside = line.substr(4).starts_with(section);
    if (inside && is_term) terms.push_back(plain(line));
    is_term = line == ".TP";
  }
  return terms;
}

std::set<std::string> options_in(const std::string& text) {
  static const std::regex option(R"((^|[\s,\[])(--?[a-z][a-z-]*))");
  std::set<std::string> found;
  for (std::sregex_iterator each(text.begin(), text.end(), option), end; each != end; ++each) found.insert((*each)[2]);
  return found;
}

std::vector<Example> examples_of(const Lines& page) {
  std::vector<Example> examples;
  bool inside = false;
  for (const auto& line : page) {
    if (line == ".EX" || line == ".EE") inside = line == ".EX";
    if (!inside || !line.starts_with("# ")) continue;
    Example example{.command = plain(line.substr(2))};
    if (const auto status = example.command.find("  (status "); status != std::string::npos) {
      example.status = std::stoi(example.command.substr(status + 10));
      example.command.resize(status);
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

}  // namespace pages
