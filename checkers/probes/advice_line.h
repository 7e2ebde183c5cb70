#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checkers/result.h"

namespace checkers {

/// What a line of the agent language says. The language is that of HAProxy's agent checks: words apart by spaces, tabs
/// or commas, in any case: "up", "down", "fail", "stopped", "ready", "drain", "maint", a percentage "75%", and from '#'
/// on a reason. A bare number, which HAProxy does not know, is a weight. "maxconn:N" is understood and ignored.
struct AdviceLine {
  Advice advice{};
  bool passes = true;    ///< false for down, fail and stopped
  std::string reason{};  ///< the words before '#' and what follows it, fit to be shown

  /// Nothing where a word is not of the language, or there is none.
  [[nodiscard]] static std::optional<AdviceLine> parse(std::string_view line);
};

}  // namespace checkers
