#include "director/engine/path_settings.h"

#include "net/sysctls.h"

namespace director {

std::vector<Setting> needed(const PathSettings& now) {
  std::vector<Setting> changes;
  if (now.accept_local_all != "1" && now.accept_local != "1") changes.push_back({.name = "accept_local", .value = "1"});
  if (net::in_force(now.rp_filter_all, now.rp_filter) == 1) changes.push_back({.name = "rp_filter", .value = "2"});
  return changes;
}

}  // namespace director
