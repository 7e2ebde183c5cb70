#include "net/time.h"

#include <fmt/format.h>

namespace net {

std::string to_string(Duration duration) {
  using namespace std::chrono;
  const auto ms = ceil<milliseconds>(duration).count();
  if (ms == 0) return "0s";
  if (ms % 1000 != 0) return fmt::format("{}ms", ms);
  const auto s = ms / 1000;
  if (s % 3600 == 0) return fmt::format("{}h", s / 3600);
  if (s % 60 == 0) return fmt::format("{}m", s / 60);
  return fmt::format("{}s", s);
}

}  // namespace net
