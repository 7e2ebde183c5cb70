#pragma once

#include <cstdint>

/// What the benchmark measures of a checker, ours or another's.
namespace bench {

enum class Kind : std::uint8_t { tcp, http };

struct Run {
  Kind kind = Kind::tcp;
  std::uint32_t targets = 1000;
  double interval = 1;  ///< seconds between two probes of one target; the timeout is 1 s below 5 s, else 3 s
  double seconds = 5;   ///< how long is measured, after a warm-up
};

constexpr int fall = 3;

struct Measures {
  double cpu_per_check = 0;      ///< seconds, the kernel's work for both ends of the connection included
  double memory_per_target = 0;  ///< bytes, beyond what the process holds without targets
  double start_late_p99 = 0;     ///< seconds; 0 where it cannot be told
  double all_out = 0;            ///< seconds from the death of all targets to the last verdict; 0 if it never came
};

[[nodiscard]] Measures measure_ours(const Run& run);

/// keepalived's checker with its talk to the kernel's IPVS answered by ipvs_stub.so. Zeros where it is not installed or
/// does not come up.
[[nodiscard]] Measures measure_keepalived(const Run& run);

}  // namespace bench
