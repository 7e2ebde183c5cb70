// Relative links of the documents lead to files, and to headings, that are there.

#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "pages.h"
#include "test/catch.h"

namespace {

namespace fs = std::filesystem;

/// GitHub's anchor of a heading: small letters, digits, '-' and '_', a blank as '-'.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ') anchor += '-';
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return anchor;
}

std::set<std::string> anchors_of(const fs::path& file) {
  std::set<std::string> anchors;
  bool in_block = false;
  for (const auto& line : pages::lines_of(file)) {
    if (line.starts_with("```")) in_block = !in_block;
    if (in_block || !line.starts_with("#")) continue;
    anchors.insert(anchor_of(line.substr(line.find_first_not_of("# "))));
  }
  return anchors;
}

/// All of the checkout's, but for what was built and what version control keeps for itself.
std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator each("."), end; each != end; ++each) {
    const auto name = each->path().filename().string();
    if (each->is_directory() && (name == "build" || name.starts_with('.'))) each.disable_recursion_pending();
    if (each->path().extension() == ".md") found.push_back(each->path().lexically_normal());
  }
  return found;
}

/// "" where the link leads somewhere.
std::string fault_of(const fs::path& from, const std::string& link) {
  const auto hash = link.find('#');
  const auto path = link.substr(0, hash);
  const auto target = path.empty() ? from : from.parent_path() / path;
  if (!fs::exists(target)) return "there is no " + target.string();
  if (hash == std::string::npos || anchors_of(target).contains(link.substr(hash + 1))) return "";
  return target.string() + " has no heading " + link.substr(hash);
}

}  // namespace

TEST_CASE("every relative link of a document leads somewhere") {
  CHECK(fault_of("README.md", "docs/missing.md") == "there is no docs/missing.md");
  CHECK(fault_of("README.md", "#no-such-heading") == "README.md has no heading #no-such-heading");
  static const std::regex link(R"(\]\(([^)\s]+)\))");
  std::size_t links = 0;
  for (const auto& file : documents()) {
    for (const auto& line : pages::lines_of(file)) {
      for (std::sregex_iterator each(line.begin(), line.end(), link), end; each != end; ++each) {
        const std::string to = (*each)[1];
        if (to.find("://") != std::string::npos) continue;
        INFO(file << ": " << to);
        CHECK(fault_of(file, to) == "");
        ++links;
      }
    }
  }
  CHECK(links > 50);
}
