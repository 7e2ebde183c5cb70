#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace net {

/// Why an operation on the environment failed. `message` names the object, the operation and the cause, and is fit to
/// be shown to the operator as it stands: "add 10.0.0.7:80 to tcp 192.0.2.1:80: No such file or directory".
struct Error {
  int code = 0;  ///< errno, or 0 where the cause is not the operating system's
  std::string message;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// An Error from an errno value: "<doing>: <strerror(code)>".
[[nodiscard]] std::unexpected<Error> system_error(int code, std::string_view doing);

/// An Error that did not come from the operating system.
[[nodiscard]] std::unexpected<Error> failure(std::string message);

}  // namespace net
