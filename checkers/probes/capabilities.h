#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

namespace checkers {

/// The capabilities in effect of one thread (capabilities(7)). Raw system calls, no library that keeps state: may be
/// used between vfork and exec.
struct EffectiveCapabilities {
  std::array<std::uint32_t, 2> sets{};
};

/// Puts in effect, for the calling thread alone, those of `wanted` (CAP_SETUID ...) that it has permitted. Returns what
/// was in effect before.
EffectiveCapabilities raise_capabilities(std::initializer_list<unsigned> wanted);

/// As it was before.
void restore_capabilities(const EffectiveCapabilities& before);

}  // namespace checkers
