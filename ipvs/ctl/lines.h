#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace ipvs {

/// The lines of a descriptor, without their newlines. (Streams would do, but they bring libstdc++'s locales along, and
/// with them most of ipvsctl's size and start.)
class Lines {
 public:
  /// `input` stays the caller's.
  explicit Lines(int input) : input_(input) {}

  /// False at the end of the input, and when it cannot be read: then error() is not 0.
  bool next(std::string& line);

  /// An errno.
  [[nodiscard]] int error() const { return error_; }

 private:
  int input_;
  int error_ = 0;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  std::array<char, 16 * 1024> buffer_;
};

}  // namespace ipvs
