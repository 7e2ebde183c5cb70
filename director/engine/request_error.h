#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "net/error.h"

namespace director {

/// Why a request to the director was not done: the kind is for programs, the sentence for a person.
struct RequestError {
  enum class Kind : std::uint8_t {
    invalid,       ///< the request itself is wrong: its body, a value in it
    forbidden,     ///< not over this socket
    not_found,     ///< the API, or the cluster file in force, has no such thing
    wrong_method,  ///< the thing is there, and is not asked with this verb
    conflict,      ///< not as things are now
    too_large,     ///< the body
    failed,        ///< the disk, the kernel or another part of the host did not let it
    unavailable,   ///< directord stops
  };

  Kind kind = Kind::failed;
  std::string message;
};

template <class T = void>
using RequestResult = std::expected<T, RequestError>;

/// The host did not let it.
[[nodiscard]] inline RequestError failed(const net::Error& error) { return {.message = error.message}; }

/// The HTTP status that stands for it.
[[nodiscard]] unsigned http_status(RequestError::Kind kind);

}  // namespace director
