// A program as a probe. The child is made by vfork: no copy of the page tables, however large this process is, and the
// errno of a failed exec comes back in shared memory. Between vfork and exec the child calls the kernel and nothing
// else.
#include "checkers/probes/exec.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "checkers/probes/capabilities.h"
#include "checkers/text.h"
#include "net/fd.h"

namespace checkers {
namespace {

constexpr std::size_t output_limit = 4096;  // of what is kept; the rest is read and dropped
constexpr std::size_t read_at_once = 64 * 1024;
constexpr net::Duration read_pause = std::chrono::milliseconds(1);  // whoever prints without end costs little
constexpr int killed_max = 4;  // of one check: whoever ends at a SIGKILL at all is gone before the next run

std::string doing_of(const Exec& spec, const net::Endpoint& target) {
  return fmt::format("exec {} for {}", spec.command.front(), to_string(target));
}

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
  const ExecPlan::User* user;
};

/// Only in the child, which shares this process's memory: raw system calls, no library that keeps state.
[[noreturn]] void become(const Child& child, volatile int& error) {
  setpgid(0, 0);
  dup2(child.null, 0);
  dup2(child.output, 1);
  dup2(child.output, 2);
  bool good = chdir("/") == 0;
  // glibc's wrappers would change every thread of this process.
  if (child.user != nullptr) {
    raise_capabilities({CAP_SETUID, CAP_SETGID});
    good = good && syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setgid, child.user->gid) == 0 &&
           syscall(SYS_setuid, child.user->uid) == 0;
  }
  good = good && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
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

net::Fd open_process(pid_t pid) { return net::Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

/// Whether `process` had ended. Never waits for it.
bool reap(const net::Fd& process) {
  siginfo_t info{};
  return waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0;
}

/// A child that was killed and has not ended. One that sleeps uninterruptibly, as on a file server that is gone, takes
/// its time. The loop keeps it until then.
class KilledChild {
 public:
  KilledChild(std::string doing, net::Fd process) : doing_(std::move(doing)), process_(std::move(process)) {
    ++count()[doing_];
  }
  KilledChild(const KilledChild&) = delete;
  KilledChild& operator=(const KilledChild&) = delete;
  ~KilledChild() {
    reap(process_);
    if (--count()[doing_] == 0) count().erase(doing_);
  }

  static bool too_many(const std::string& doing) {
    const auto found = count().find(doing);
    return found != count().end() && found->second >= killed_max;
  }

  static void keep(net::Loop& loop, std::string doing, net::Fd process) {
    const int fd = process.get();
    auto child = std::make_unique<KilledChild>(std::move(doing), std::move(process));
    KilledChild& killed = *child;
    const auto watch = loop.watch(fd, EPOLLIN, [&loop, kept = std::move(child)](std::uint32_t) {
      loop.unwatch(kept->watch_);  // and thereby this
    });
    if (watch) killed.watch_ = *watch;
  }

 private:
  /// By what they were doing. Children are the process's, whichever loop minds them.
  static std::map<std::string, int>& count() {
    thread_local std::map<std::string, int> all;
    return all;
  }

  std::string doing_;
  net::Fd process_;
  net::Loop::Id watch_ = 0;
};

class ExecRun final : public ProbeRun {
 public:
  ExecRun(net::Loop& loop, const ExecPlan& plan, const net::Endpoint& target, OnDone on_done)
      : loop_(loop), plan_(plan), target_(target), on_done_(std::move(on_done)) {}
  ExecRun(const ExecRun&) = delete;
  ExecRun& operator=(const ExecRun&) = delete;
  ~ExecRun() override {
    loop_.unwatch(watch_);
    loop_.forget(output_watch_);
    loop_.cancel(read_timer_);
    if (pid_ <= 0) return;
    const auto before = raise_capabilities({CAP_KILL});  // it may run as another user
    kill(-pid_, SIGKILL);
    restore_capabilities(before);
    if (!process_) {
      {
        const net::Fd closed = std::move(output_);
      }  // there may have been no descriptor left
      process_ = open_process(pid_);
    }
    if (exited_) {
      reap(process_);
    } else if (process_) {
      KilledChild::keep(loop_, doing(), std::move(process_));
    }
  }

  /// The result, where the program could not be started.
  std::optional<Result> start() {
    if (KilledChild::too_many(doing())) {
      return failed(doing(), fmt::format("{} earlier runs were killed and have not exited", killed_max));
    }
    const net::Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    int ends[2];
    if (!null || pipe2(ends, O_CLOEXEC) != 0) return cannot_start(errno);
    output_ = net::Fd(ends[0]);
    const net::Fd write_end(ends[1]);
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);  // of this end alone: the script waits until what it writes is read

    auto arguments = plan_.spec.command;
    std::vector<std::string> environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                            "CHECK_ADDRESS=" + to_string(target_.address),
                                            fmt::format("CHECK_PORT={}", target_.port)};
    const auto argument_pointers = pointers(arguments);
    const auto environment_pointers = pointers(environment);
    pid_ = spawn({.arguments = argument_pointers.data(),
                  .environment = environment_pointers.data(),
                  .null = null.get(),
                  .output = write_end.get(),
                  .user = plan_.user ? &*plan_.user : nullptr});
    if (pid_ < 0) return cannot_start(-pid_);

    process_ = open_process(pid_);
    if (!process_) return cannot_start(errno);
    const auto watch = loop_.watch(process_.get(), EPOLLIN, [this](std::uint32_t) {
      auto result = exited();
      std::exchange(on_done_, nullptr)(std::move(result));
    });
    if (!watch) return cannot_start(watch.error().code);
    watch_ = *watch;
    const auto output = loop_.watch(output_.get(), EPOLLIN | EPOLLONESHOT, [this](std::uint32_t) { on_output(); });
    if (!output) return cannot_start(output.error().code);
    output_watch_ = *output;
    return std::nullopt;
  }

  [[nodiscard]] std::string doing() const override { return doing_of(plan_.spec, target_); }

 private:
  [[nodiscard]] Result cannot_start(int error) const {
    const auto* why = std::strerror(error);
    return could_not_run(doing(), why, error, fmt::format("exec {}: {}", plan_.spec.command.front(), why));
  }

  Result exited() {
    // Left unreaped until the destructor has killed the rest of the group: so its number cannot yet be another's.
    siginfo_t info{};
    waitid(P_PIDFD, static_cast<id_t>(process_.get()), &info, WEXITED | WNOHANG | WNOWAIT);
    exited_ = true;
    read_some();
    return result_of_exit(doing(), info.si_code, info.si_status, plan_.spec.weight, text_);
  }

  void on_output() {
    if (!read_some()) return;
    read_timer_ = loop_.after(read_pause, [this] {
      read_timer_ = 0;
      std::ignore = loop_.rewatch(output_watch_, EPOLLIN | EPOLLONESHOT);  // else it waits for its deadline
    });
  }

  /// Whether there may be more.
  bool read_some() {
    std::array<char, read_at_once> buffer;
    const auto count = read(output_.get(), buffer.data(), buffer.size());
    if (count <= 0) return count < 0 && (errno == EINTR || errno == EAGAIN);
    text_.append(buffer.data(), std::min(static_cast<std::size_t>(count), output_limit - text_.size()));
    return true;
  }

  net::Loop& loop_;
  const ExecPlan& plan_;
  net::Endpoint target_;
  OnDone on_done_;
  pid_t pid_ = 0;
  bool exited_ = false;
  net::Fd process_;
  net::Fd output_;
  net::Loop::Id watch_ = 0;
  net::Loop::Id output_watch_ = 0;
  net::Loop::Id read_timer_ = 0;
  std::string text_;  ///< the beginning of its output
};

}  // namespace

net::Result<ExecPlan> ExecPlan::prepare(const Exec& spec) {
  ExecPlan plan{.spec = spec, .user = {}};
  if (geteuid() != 0) return plan;
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16 * 1024> buffer;
  if (getpwnam_r(spec.user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return net::failure(fmt::format("no such user: {}", spec.user));
  }
  plan.user = User{.uid = found->pw_uid, .gid = found->pw_gid};
  return plan;
}

StartedProbe start_exec(net::Loop& loop, const ExecPlan& plan, const net::Endpoint& target, ProbeRun::OnDone on_done) {
  auto run = std::make_unique<ExecRun>(loop, plan, target, std::move(on_done));
  if (auto result = run->start()) return std::move(*result);
  return run;
}

Result result_of_exit(std::string_view doing, int code, int status, bool weight, std::string_view output) {
  const auto line = output.substr(0, output.find('\n'));
  const auto said = line.empty() ? "" : ": " + quote(line, 80);
  if (code != CLD_EXITED) return failed(doing, fmt::format("killed by signal {}{}", status, said));
  if (status == 0) return passed(doing, fmt::format("exit status 0{}", said));
  if (!weight || status == 1) return failed(doing, fmt::format("exit status {}{}", status, said));
  auto result = passed(doing, fmt::format("exit status {}, weight {}{}", status, status - 2, said));
  result.advice.weight = {.value = static_cast<std::uint16_t>(status - 2)};
  return result;
}

}  // namespace checkers
