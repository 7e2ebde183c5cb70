#pragma once

#include <unistd.h>

#include <climits>
#include <string>

namespace director {

/// What this host calls itself; empty if it does not say.
inline std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace director
