#pragma once

#include <sys/types.h>

#include <filesystem>

#include "net/error.h"
#include "net/fd.h"

namespace director {

/// Makes `dir` if it is missing (0755 at the leaf) and takes the one lock in it, which the returned descriptor holds
/// and a crash releases. Errors: no permission; EWOULDBLOCK: another directord runs here, named by its pid.
[[nodiscard]] net::Result<net::Fd> lock_runtime(const std::filesystem::path& dir);

/// Whether `process` is the directord that holds that lock.
[[nodiscard]] bool holds_runtime(pid_t process, const std::filesystem::path& dir);

}  // namespace director
