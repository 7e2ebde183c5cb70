#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "net/time.h"

namespace checkers {

enum class Outcome : std::uint8_t {
  passed,   ///< the target did what the spec expects
  failed,   ///< it did not: refused, silent, too slow, or the wrong answer
  blocked,  ///< this host cannot ask as the spec wants it (no route, source, interface, program, file): as failed
  not_run,  ///< this host is short of something (descriptors, memory, ports): says nothing about the target
};

/// What a target, or somebody on its behalf, asks for beside being up or down (agent, exec, file).
struct Advice {
  enum class AdminState : std::uint8_t {
    none,   ///< nothing was said
    ready,  ///< to take part: the end of drain and maint
    drain,  ///< no new connections
    maint,  ///< to be left out
  };
  struct Weight {
    std::uint16_t value = 0;
    bool percent = false;  ///< of the weight in the cluster file; else instead of it

    auto operator<=>(const Weight&) const = default;
  };

  AdminState admin_state = AdminState::none;
  std::optional<Weight> weight{};

  auto operator<=>(const Advice&) const = default;
};

/// What one probe found.
struct Result {
  Outcome outcome = Outcome::not_run;
  std::string sentence;  ///< what was tried and what came of it: "connect 10.0.0.7:80: timed out after 1 s"
  Advice advice{};
  /// Of blocked and not_run: what this host lacks, without the target, and so the same for each check that needs it:
  /// "bind to 10.0.0.9: Cannot assign requested address".
  std::string local_fault{};

  // Set by the shell:
  bool suppressed = false;  ///< a failure that was turned into not_run by Checkers::suppress_failures
  net::Instant began{};     ///< when the probe started
  net::Duration late{};     ///< how long after its tick the probe started
  net::Duration took{};     ///< from start to verdict

  auto operator<=>(const Result&) const = default;
};

}  // namespace checkers
