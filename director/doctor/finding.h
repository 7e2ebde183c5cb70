#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace director {

/// Something that the doctor found.
struct Finding {
  enum class Severity : std::uint8_t {
    error,    ///< something does not work, or will not when it is needed
    warning,  ///< it works, and may hurt
    note,     ///< cannot be told, or is worth knowing
  };
  Severity severity = Severity::error;
  std::string subject;  ///< "kernel", "interface eth0", "node lb2"
  std::string text;     ///< what is
  std::string remedy;   ///< what to do

  bool operator==(const Finding&) const = default;
};

[[nodiscard]] std::string_view to_string(Finding::Severity severity);  ///< "error", "warning", "note"

}  // namespace director
