#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace config {

/// More than any cluster file has: a hundred thousand servers are about six megabytes.
inline constexpr std::size_t max_file_size = 64 << 20;

/// A file's whole text. The error ends a sentence that begins with the file's name: "cannot be read: Permission
/// denied", "is a directory; expected a file", "is larger than 64 MiB".
[[nodiscard]] std::expected<std::string, std::string> read_file(const std::string& path);

}  // namespace config
