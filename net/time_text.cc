#include "net/time_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <string_view>

namespace net {

namespace {

std::string to_the_second(WallTime at) {
  return fmt::format("{:%FT%T}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(at))));
}

/// The largest whole unit: "3 s", "59 min", "47 h", "12 d".
std::string age(std::chrono::seconds span) {
  using namespace std::chrono;
  if (span < 1min) return fmt::format("{} s", span.count());
  if (span < 1h) return fmt::format("{} min", floor<minutes>(span).count());
  if (span < 48h) return fmt::format("{} h", floor<hours>(span).count());
  return fmt::format("{} d", floor<days>(span).count());
}

}  // namespace

std::string timestamp(WallTime at) {
  const auto part = std::chrono::floor<std::chrono::milliseconds>(at - std::chrono::floor<std::chrono::seconds>(at));
  return fmt::format("{}.{:03}Z", to_the_second(at), part.count());
}

std::string timestamp_and_age(WallTime at, WallTime now) {
  const auto text = to_the_second(at) + "Z";
  const bool is_past = at <= now;
  const auto whole = std::chrono::floor<std::chrono::seconds>(is_past ? now - at : at - now);
  return is_past ? fmt::format("{} ({} ago)", text, age(whole)) : fmt::format("{} (in {})", text, age(whole));
}

WallTime WallClock::at(Instant then, Instant turn) {
  using std::chrono::duration_cast;
  constexpr auto flicker = std::chrono::milliseconds(500);  // two clocks are never read at once
  if (read_in_ != turn) {
    read_in_ = turn;
    const auto offset =
        clock_.wall().time_since_epoch() - duration_cast<WallTime::duration>(clock_.now().time_since_epoch());
    if (abs(offset - offset_) > flicker) offset_ = offset;
  }
  return WallTime(duration_cast<WallTime::duration>(then.time_since_epoch()) + offset_);
}

std::optional<WallTime> parse_timestamp(const std::string& text) {
  std::tm calendar{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &calendar);
  if (rest == nullptr) return std::nullopt;
  std::chrono::milliseconds fraction{};
  if (*rest == '.') {
    int digits = 0;
    for (++rest; *rest >= '0' && *rest <= '9' && digits < 3; ++rest, ++digits)
      fraction = fraction * 10 + std::chrono::milliseconds(*rest - '0');
    if (digits != 3) return std::nullopt;
  }
  if (std::string_view(rest) != "Z") return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&calendar)) + fraction;
}

}  // namespace net
