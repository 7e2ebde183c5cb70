#pragma once

#include "net/error.h"

namespace director {

/// Gives up, for this process and all that it starts, every capability but CAP_NET_ADMIN and CAP_NET_RAW, and, not in
/// effect, what it takes to run scripts as another user and to end them (CAP_SETUID, CAP_SETGID, CAP_KILL): a reload
/// may bring the first of them. Who never had them, gets none. Error: the kernel refused.
[[nodiscard]] net::Result<> drop_privileges();

/// Before exec() of a new directord: it keeps the capabilities of this thread where the user is not root.
void pass_on_privileges();

/// What this thread starts from now on gets none of them again.
void keep_privileges();

}  // namespace director
