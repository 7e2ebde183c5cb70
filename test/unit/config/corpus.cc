#include "test/unit/config/corpus.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "config/load.h"

namespace corpus {

std::filesystem::path folder(const std::string& name) { return std::filesystem::path(CONFIG_TEST_DIR) / name; }

std::vector<std::filesystem::path> files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string said_about(const std::filesystem::path& file) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(file.parent_path());
  const auto loaded = config::load(file.filename());
  std::filesystem::current_path(before);
  return to_string(loaded ? loaded->warnings : loaded.error());
}

}  // namespace corpus
