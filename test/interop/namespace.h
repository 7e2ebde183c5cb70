#pragma once

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "test/catch.h"

/// Moves this process into a fresh network namespace with lo up: IPVS takes no destination where lo is down.
inline void enter_fresh_namespace() {
  REQUIRE(::unshare(CLONE_NEWNET) == 0);
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  REQUIRE(socket >= 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  CHECK(::ioctl(socket, SIOCSIFFLAGS, &request) == 0);
  ::close(socket);
}
