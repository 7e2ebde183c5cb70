#include "director/daemon/privileges.h"

#include <cap-ng.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <iterator>
#include <vector>

namespace director {

net::Result<> drop_privileges() {
  if (capng_get_caps_process() != 0) return net::system_error(errno, "read this process's capabilities");
  const auto permitted = [](std::initializer_list<unsigned> wanted) {
    std::vector<unsigned> had;
    std::ranges::copy_if(wanted, std::back_inserter(had),
                         [](unsigned capability) { return capng_have_capability(CAPNG_PERMITTED, capability) != 0; });
    return had;
  };
  const auto in_effect = permitted({CAP_NET_ADMIN, CAP_NET_RAW});
  const auto for_scripts = permitted({CAP_SETUID, CAP_SETGID, CAP_KILL});
  // The bounding set, too, if we may: then nothing that runs from here can ever have more.
  const auto sets = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0 ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS;
  capng_clear(sets);
  const auto keep = [](const std::vector<unsigned>& capabilities, int kept) {
    for (const auto capability : capabilities) capng_update(CAPNG_ADD, static_cast<capng_type_t>(kept), capability);
  };
  keep(in_effect, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
  keep(for_scripts, CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
  if (capng_apply(sets) != 0) return net::system_error(errno, "drop capabilities");
  // A service manager may have made ours inheritable: what we start is not meant to have them.
  keep_privileges();
  return {};
}

void pass_on_privileges() {
  if (capng_get_caps_process() != 0) return;
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (capng_have_capability(CAPNG_PERMITTED, capability) == 0) continue;
    capng_update(CAPNG_ADD, CAPNG_INHERITABLE, capability);
  }
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return;
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (capng_have_capability(CAPNG_PERMITTED, capability) == 0) continue;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
  }
}

void keep_privileges() { prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); }

}  // namespace director
