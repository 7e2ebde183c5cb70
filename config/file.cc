#include "config/file.h"

#include <fmt/format.h>

#include <cstring>

#include "net/file.h"

namespace config {

std::expected<std::string, std::string> read_file(const std::string& path) {
  auto file = net::read_file(path, max_file_size);
  if (file) return std::move(file->text);
  switch (file.error().kind) {
    case net::FileError::Kind::directory:
      return std::unexpected("is a directory; expected a file");
    case net::FileError::Kind::not_regular:
      return std::unexpected("is not a regular file");
    case net::FileError::Kind::too_large:
      return std::unexpected(fmt::format("is larger than {} MiB", max_file_size >> 20));
    case net::FileError::Kind::system:
      break;
  }
  return std::unexpected(fmt::format("cannot be read: {}", std::strerror(file.error().code)));
}

}  // namespace config
