#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "ipvs/ctl/names.h"
#include "ipvs/types.h"

namespace ipvs {

/// What a watcher has seen of the table, and when.
struct Sample {
  Snapshot snapshot;
  std::chrono::steady_clock::time_point at;
};

/// The table of `now` with rates per second: between the two samples, or by the kernel's estimator for what the earlier
/// one lacks. Lines are cut to `width`; if there are more than `height`, the last says how many are left out.
[[nodiscard]] std::string watch_frame(const Sample* before, const Sample& now, NameResolver& namer, std::size_t width,
                                      std::size_t height);

/// The same sample as one JSON object in one line.
[[nodiscard]] std::string watch_json(const Sample* before, const Sample& now);

}  // namespace ipvs
