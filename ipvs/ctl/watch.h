#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "ipvs/ctl/names.h"
#include "ipvs/types.h"

namespace ipvs {

/// What a watcher has seen of the table, and when.
struct Sight {
  Snapshot snapshot;
  std::chrono::steady_clock::time_point at;
};

/// The table of `now` with rates per second: between the two sights, or by the kernel's estimator for what the earlier
/// one lacks. Lines are cut to `width`; if there are more than `height`, the last says how many are left out.
[[nodiscard]] std::string watch_frame(const Sight* before, const Sight& now, Namer& namer, std::size_t width,
                                      std::size_t height);

/// The same sight as one JSON object in one line.
[[nodiscard]] std::string watch_json(const Sight* before, const Sight& now);

}  // namespace ipvs
