#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

/// A source cut into the members of its `services`, by its lines alone. That is a guess at what a parser would
/// say: who uses it compares it with the tree (reload_cache.h).
namespace config {

struct ServiceChunk {
  std::string_view text{};  ///< with the comments up to the next member
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// Everything of the text is in one of them, in this order.
struct ServiceChunks {
  std::string_view before{};
  std::string_view title{};  ///< "services:", and what stands between it and its first member
  std::vector<ServiceChunk> chunks{};
  std::string_view after{};
};

/// Without members in block style, one a line, all is `before`. The views are into `text`.
[[nodiscard]] ServiceChunks split(std::string_view text);

}  // namespace config
