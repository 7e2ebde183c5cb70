#pragma once

#include <cstdint>
#include <random>
#include <vector>

/// Draws that a seed repeats.
class Seeded {
 public:
  explicit Seeded(std::uint32_t seed) : engine_(seed) {}

  /// 0 to `limit` - 1.
  std::uint32_t below(std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(engine_);
  }
  /// Once in so many times.
  bool chance(std::uint32_t in) { return below(in) == 0; }

  template <class T>
  T one_of(std::vector<T> values) {
    return values[below(static_cast<std::uint32_t>(values.size()))];
  }

 private:
  std::mt19937 engine_;
};
