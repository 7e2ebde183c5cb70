#include "net/error.h"

#include <fmt/format.h>

#include <cstring>

namespace net {

std::unexpected<Error> system_error(int code, std::string_view doing) {
  return std::unexpected(Error{.code = code, .message = fmt::format("{}: {}", doing, std::strerror(code))});
}

std::unexpected<Error> failure(std::string message) {
  return std::unexpected(Error{.code = 0, .message = std::move(message)});
}

}  // namespace net
