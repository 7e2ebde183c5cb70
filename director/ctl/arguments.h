#pragma once

#include <cstdint>
#include <string>

/// What directorctl's arguments must look like. A check's answer is what is wrong, and empty where nothing is.
namespace director {

/// "90s", "5m", "2h". "90" is refused: a number of what? The config's own reading of durations is not for the command
/// line.
[[nodiscard]] std::string is_seconds(const std::string& text);

/// Of a text that is_seconds() finds nothing wrong with.
[[nodiscard]] std::int64_t seconds_of(const std::string& text);

/// 0 to 65535, or "file".
[[nodiscard]] std::string is_weight(const std::string& text);

/// SERVICE/SERVER.
[[nodiscard]] std::string is_server(const std::string& text);

}  // namespace director
