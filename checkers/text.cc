#include "checkers/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/utf8.h"

namespace checkers {

std::string format_duration(net::Duration duration) {
  using namespace std::chrono;
  const auto span = std::max(duration, net::Duration::zero());
  if (span < 10ms)
    return fmt::format("{:.1f} ms", duration_cast<std::chrono::duration<double, std::milli>>(span).count());
  if (span < 1s) return fmt::format("{} ms", duration_cast<milliseconds>(span).count());
  if (span < 10s)
    return fmt::format("{:.2g} s", duration_cast<std::chrono::duration<double>>(floor<milliseconds>(span)).count());
  if (span < 1min) return fmt::format("{} s", duration_cast<seconds>(span).count());

  const auto pair = [](auto big, std::string_view unit, auto small, std::string_view small_unit) {
    return small == 0 ? fmt::format("{} {}", big, unit) : fmt::format("{} {} {} {}", big, unit, small, small_unit);
  };
  if (span < 1h) return pair(floor<minutes>(span).count(), "min", floor<seconds>(span % 1min).count(), "s");
  if (span < 24h) return pair(floor<hours>(span).count(), "h", floor<minutes>(span % 1h).count(), "min");
  return pair(floor<days>(span).count(), "d", floor<hours>(span % 24h).count(), "h");
}

std::string quote(std::string_view bytes, std::size_t limit) {
  std::string text = "\"";
  for (const char c : bytes.substr(0, limit)) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (c >= 0x20 && c < 0x7f) {
      text += c;
    } else {
      text += net::escaped(c);
    }
  }
  text += bytes.size() > limit ? "\"..." : "\"";
  return text;
}

}  // namespace checkers
