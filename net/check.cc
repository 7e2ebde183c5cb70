#include "net/check.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace net {

void invariant_broken(std::string_view invariant, const std::source_location& where) noexcept {
  // No allocation: memory may be what is broken.
  std::array<char, 512> text;
  const auto written = fmt::format_to_n(
      text.begin(), text.size() - 1, "{}: internal error, a bug in this program: invariant violated: {} ({}:{}, {})",
      program_invocation_short_name, invariant, where.file_name(), where.line(), where.function_name());
  const auto size = static_cast<std::size_t>(written.out - text.begin());
  text[size] = '\n';
  pollfd writable{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  poll(&writable, 1, 1000);  // a reader that has stopped must not keep this process from ending
  if ((writable.revents & POLLOUT) == 0) std::abort();
  [[maybe_unused]] const auto said = ::write(STDERR_FILENO, text.data(), size + 1);
  std::abort();
}

}  // namespace net
