#pragma once

#include <cstddef>
#include <string_view>

namespace config {

/// The length of the UTF-8 sequence at the start of `text`, which is not empty; 0 when there is none (RFC 3629
/// section 4).
[[nodiscard]] std::size_t utf8_length(std::string_view text);

}  // namespace config
