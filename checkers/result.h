#pragma once

#include <cstdint>
#include <string>

#include "net/time.h"

namespace checkers {

enum class Outcome : std::uint8_t {
  passed,   ///< the target did what the spec expects
  failed,   ///< it did not: refused, silent, too slow, or the wrong answer
  not_run,  ///< this machine could not ask (no descriptors, ports or permission): says nothing about the target
};

/// What one probe found.
struct Result {
  Outcome outcome = Outcome::not_run;
  std::string sentence;  ///< what was tried and what came of it: "connect 10.0.0.7:80: timed out after 1 s"

  // Set by the shell:
  net::Duration late{};  ///< how long after its beat the probe started
  net::Duration took{};  ///< from start to verdict

  auto operator<=>(const Result&) const = default;
};

}  // namespace checkers
