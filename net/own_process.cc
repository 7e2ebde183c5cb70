#include "net/own_process.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace net {
namespace {

/// Only in the child. Without its copies of our descriptors: a lock or a connection of ours must not outlive us in it.
[[noreturn]] void become(pid_t parent, int keep, const std::function<int()>& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(ECANCELED);
  if (keep > 0) syscall(SYS_close_range, 0U, static_cast<unsigned>(keep) - 1, 0U);
  syscall(SYS_close_range, static_cast<unsigned>(keep + 1), ~0U, 0U);
  _exit(work());
}

}  // namespace

int in_own_process(int keep, const std::function<int()>& work) {
  const pid_t parent = getpid();
  // NOLINTBEGIN(*unsafe-functions,*insecureAPI.vfork,*unix.Vfork): the memory is shared on purpose.
  const pid_t pid = vfork();
  if (pid == 0) become(parent, keep, work);
  // NOLINTEND(*unsafe-functions,*insecureAPI.vfork,*unix.Vfork)
  if (pid < 0) return errno;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return errno;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
}

}  // namespace net
