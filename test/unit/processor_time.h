#pragma once

#include <time.h>

#include <chrono>

/// What this thread alone has computed for, so that what else runs on the machine does not count.
inline std::chrono::nanoseconds processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}
