#include "director/daemon/privileges.h"

#include <cap-ng.h>
#include <sys/prctl.h>

#include <cerrno>
#include <vector>

namespace director {

net::Result<> drop_privileges(bool scripts) {
  std::vector<unsigned> wanted{CAP_NET_ADMIN, CAP_NET_RAW};
  if (scripts) wanted.insert(wanted.end(), {CAP_SETUID, CAP_SETGID, CAP_KILL});
  if (capng_get_caps_process() != 0) return net::system_error(errno, "read this process's capabilities");
  std::erase_if(wanted, [](unsigned capability) { return capng_have_capability(CAPNG_PERMITTED, capability) == 0; });
  // The bounding set, too, if we may: then nothing that runs from here can ever have more.
  const auto sets = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 0 ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS;
  capng_clear(sets);
  for (const auto capability : wanted) {
    const auto kept = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET);
    capng_update(CAPNG_ADD, kept, capability);
  }
  if (capng_apply(sets) != 0) return net::system_error(errno, "drop capabilities");
  // A service manager may have made ours inheritable: what we start is not meant to have them.
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  return {};
}

void pass_on_privileges() {
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

}  // namespace director
