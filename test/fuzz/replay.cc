// replay FOLDER...: runs a fuzz target over every file of its corpora, in the plain sanitized build. ./dev fuzz looks
// for more.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "test/fuzz/target.h"

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> inputs;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (entry.is_regular_file()) inputs.push_back(entry.path());
    }
  }
  std::ranges::sort(inputs);
  for (const auto& input : inputs) {
    std::printf("%s\n", input.c_str());
    std::fflush(stdout);
    std::ifstream file(input, std::ios::binary);
    const std::string content(std::istreambuf_iterator<char>(file), {});
    // Exactly as large as the input, so that a read beyond it is seen.
    const std::vector<std::uint8_t> bytes(content.begin(), content.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  if (inputs.empty()) std::fprintf(stderr, "usage: %s FOLDER... (with inputs)\n", argv[0]);
  return inputs.empty() ? 2 : 0;
}
