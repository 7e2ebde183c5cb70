#pragma once

#include <cstdlib>
#include <filesystem>

namespace director_test {

/// A folder of the test's own, gone with it.
struct Scratch {
  std::filesystem::path path;

  /// In memory: no test is about the disk, and thousands of saves would wait for it.
  Scratch() {
    std::string pattern = "/dev/shm/directord-test-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
};

}  // namespace director_test
