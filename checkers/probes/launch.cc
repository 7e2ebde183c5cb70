// The child is made by vfork: no copy of the page tables, however large this process is, and the errno of a failed exec
// comes back in shared memory. Between vfork and exec the child calls the kernel and nothing else.
#include "checkers/probes/launch.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <mutex>
#include <utility>

#include "checkers/probes/capabilities.h"

namespace checkers {
namespace {

/// Pointers as execve wants them.
std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (auto& each : strings) all.push_back(each.data());
  all.push_back(nullptr);
  return all;
}

struct Child {
  char* const* arguments;
  char* const* environment;
  int null;
  int output;
  const Program::User* user;
};

/// Only in the child, which shares this process's memory: raw system calls, no library that keeps state.
[[noreturn]] void become(const Child& child, volatile int& error) {
  setpgid(0, 0);
  dup2(child.null, 0);
  dup2(child.output, 1);
  dup2(child.output, 2);
  // Before whatever may block: what hangs must not keep our locks and connections open.
  syscall(SYS_close_range, 3U, ~0U, 0U);
  bool good = chdir("/") == 0;
  // glibc's wrappers would change every thread of this process.
  if (child.user != nullptr) {
    raise_capabilities({CAP_SETUID, CAP_SETGID});
    good = good && syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setgid, child.user->gid) == 0 &&
           syscall(SYS_setuid, child.user->uid) == 0;
  }
  good = good && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  // The script begins as from a shell: nothing blocked, and SIGPIPE, which this process may ignore, ends it again.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  if (good) execve(child.arguments[0], child.arguments, child.environment);
  error = errno;
  _exit(127);
}

/// The process id, or minus the errno of what failed.
pid_t spawn(const Child& child) {
  volatile int error = 0;
  // NOLINTBEGIN(*unsafe-functions,*insecureAPI.vfork,*unix.Vfork): posix_spawn sets neither groups nor limits, and fork
  // copies a large director's page tables for each check. What become() may do here is written there.
  const pid_t pid = vfork();
  if (pid == 0) become(child, error);
  // NOLINTEND(*unsafe-functions,*insecureAPI.vfork,*unix.Vfork)
  if (pid < 0) return -errno;
  if (error == 0) return pid;
  waitpid(pid, nullptr, 0);
  return -error;
}

}  // namespace

struct Launch::Shared {
  Program program;
  net::Fd output;
  std::shared_ptr<Attempt> attempt;
  OnStarted on_started;

  std::mutex mutex{};  ///< of what follows
  bool given_up = false;
  std::expected<Process, int> started = std::unexpected(ECANCELED);

  /// In the thread.
  void start();
  std::expected<Process, int> start_program();
};

void Launch::Shared::start() {
  {
    const std::lock_guard lock(mutex);
    if (given_up) return;
  }
  auto process = start_program();
  const std::lock_guard lock(mutex);
  if (!given_up) {
    started = std::move(process);
  } else if (process) {
    kill_group(process->pid);
    waitpid(process->pid, nullptr, 0);
  }
}

std::expected<Process, int> Launch::Shared::start_program() {
  const auto theirs = std::exchange(output, {});
  const net::Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return std::unexpected(errno);
  const auto arguments = pointers(program.arguments);
  const auto environment = pointers(program.environment);
  const pid_t pid = spawn({.arguments = arguments.data(),
                           .environment = environment.data(),
                           .null = null.get(),
                           .output = theirs.get(),
                           .user = program.user ? &*program.user : nullptr});
  if (pid < 0) return std::unexpected(-pid);
  net::Fd handle(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (handle) return Process{.pid = pid, .handle = std::move(handle)};
  const int error = errno;
  kill_group(pid);
  waitpid(pid, nullptr, 0);
  return std::unexpected(error);
}

net::Result<std::unique_ptr<Launch>> Launch::begin(net::Loop& loop, Program program, net::Fd output,
                                                   std::shared_ptr<Attempt> attempt, OnStarted on_started) {
  auto thread = net::Background::create(loop);
  if (!thread) return std::unexpected(thread.error());
  auto shared =
      std::make_shared<Shared>(std::move(program), std::move(output), std::move(attempt), std::move(on_started));
  auto tell = [told = std::weak_ptr(shared)] {
    const auto all = told.lock();
    all->on_started(std::move(all->started));
  };
  std::unique_ptr<Launch> made(new Launch(shared, std::move(*thread)));
  made->thread_->run(
      [shared, tell]() -> net::Background::Then {
        shared->start();
        return tell;
      },
      [tell, failed = std::weak_ptr(shared)](const net::Error&) {
        failed.lock()->started = std::unexpected(EAGAIN);
        tell();
      });
  return made;
}

std::optional<Process> Launch::give_up() {
  const std::lock_guard lock(shared_->mutex);
  shared_->given_up = true;
  if (!shared_->started) return std::nullopt;
  return std::exchange(shared_->started, std::unexpected(ECANCELED)).value();
}

void kill_group(pid_t pid) {
  const auto before = raise_capabilities({CAP_KILL});
  kill(-pid, SIGKILL);
  restore_capabilities(before);
}

}  // namespace checkers
