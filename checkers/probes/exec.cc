#include "checkers/probes/exec.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "checkers/probes/attempt.h"
#include "checkers/probes/launch.h"
#include "checkers/text.h"
#include "net/fd.h"

namespace checkers {
namespace {

constexpr std::size_t output_limit = 4096;  // of what is kept; the rest is read and dropped
constexpr std::size_t read_at_once = 64 * 1024;
constexpr net::Duration read_pause = std::chrono::milliseconds(1);  // whoever prints without end costs little

std::string doing_of(const Exec& spec, const net::Endpoint& target) {
  return fmt::format("exec {} for {}", spec.command.front(), to_string(target));
}

/// Whether `process` had ended. Never waits for it.
bool reap(const net::Fd& process) {
  siginfo_t info{};
  return waitid(P_PIDFD, static_cast<id_t>(process.get()), &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0;
}

/// A child that was killed and has not ended. One that sleeps uninterruptibly, as on a file server that is gone, takes
/// its time. The loop keeps it until then.
class KilledChild {
 public:
  KilledChild(net::Fd process, std::shared_ptr<Attempt> attempt)
      : process_(std::move(process)), attempt_(std::move(attempt)) {}
  KilledChild(const KilledChild&) = delete;
  KilledChild& operator=(const KilledChild&) = delete;
  ~KilledChild() { reap(process_); }

  static void keep(net::Loop& loop, net::Fd process, std::shared_ptr<Attempt> attempt) {
    const int fd = process.get();
    auto child = std::make_unique<KilledChild>(std::move(process), std::move(attempt));
    KilledChild& killed = *child;
    const auto watch = loop.watch(fd, EPOLLIN, [&loop, kept = std::move(child)](std::uint32_t) {
      loop.unwatch(kept->watch_);  // and thereby this
    });
    if (watch) killed.watch_ = *watch;
  }

 private:
  net::Fd process_;
  std::shared_ptr<Attempt> attempt_;
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
    if (starting_) {
      attempt_->give_up();
      if (auto process = launch_->give_up()) process_ = std::move(*process);
    }
    if (!process_.handle) return;
    kill_group(process_.pid);
    if (exited_) {
      reap(process_.handle);
    } else {
      if (!starting_) attempt_->give_up();
      KilledChild::keep(loop_, std::move(process_.handle), std::move(attempt_));
    }
  }

  /// The result, where the program could not be started.
  std::optional<Result> start() {
    if (Attempt::too_many_of(doing())) {
      return failed(doing(), fmt::format("{} earlier runs were killed and have not exited", Attempt::most_of_a_name));
    }
    if (Attempt::too_many()) return cannot_start(EAGAIN);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return cannot_start(errno);
    output_ = net::Fd(ends[0]);
    net::Fd write_end(ends[1]);
    fcntl(output_.get(), F_SETFL, O_NONBLOCK);  // of this end alone: the script waits until what it writes is read

    Program program{
        .arguments = plan_.spec.command,
        .environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                        "CHECK_ADDRESS=" + to_string(target_.address), fmt::format("CHECK_PORT={}", target_.port)},
        .user = plan_.user};
    auto launch = Launch::begin(loop_, std::move(program), std::move(write_end), attempt_,
                                [this](std::expected<Process, int> started) { on_started(std::move(started)); });
    if (!launch) return cannot_start(launch.error().code);
    launch_ = std::move(*launch);
    starting_ = true;
    return std::nullopt;
  }

  [[nodiscard]] std::string doing() const override { return doing_of(plan_.spec, target_); }
  [[nodiscard]] Result timed_out(net::Duration timeout) const override {
    if (!starting_) return ProbeRun::timed_out(timeout);
    const auto why = fmt::format("it has not started in {}: its file system does not answer", format_duration(timeout));
    return could_not_run(doing(), why, 0, fmt::format("exec {}: {}", plan_.spec.command.front(), why));
  }

 private:
  [[nodiscard]] Result cannot_start(int error) const {
    const auto* why = std::strerror(error);
    return could_not_run(doing(), why, error, fmt::format("exec {}: {}", plan_.spec.command.front(), why));
  }

  void on_started(std::expected<Process, int> started) {
    starting_ = false;
    if (!started) return end(cannot_start(started.error()));
    process_ = std::move(*started);
    const auto watch = loop_.watch(process_.handle.get(), EPOLLIN, [this](std::uint32_t) { end(exited()); });
    if (!watch) return end(cannot_start(watch.error().code));
    watch_ = *watch;
    const auto output = loop_.watch(output_.get(), EPOLLIN | EPOLLONESHOT, [this](std::uint32_t) { on_output(); });
    if (!output) return end(cannot_start(output.error().code));
    output_watch_ = *output;
  }

  void end(Result result) { std::exchange(on_done_, nullptr)(std::move(result)); }

  Result exited() {
    // Left unreaped until the destructor has killed the rest of the group: so its number cannot yet be another's.
    siginfo_t info{};
    waitid(P_PIDFD, static_cast<id_t>(process_.handle.get()), &info, WEXITED | WNOHANG | WNOWAIT);
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
  std::shared_ptr<Attempt> attempt_ = std::make_shared<Attempt>(doing());
  std::unique_ptr<Launch> launch_;
  bool starting_ = false;
  bool exited_ = false;
  Process process_;
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
  plan.user = Program::User{.uid = found->pw_uid, .gid = found->pw_gid};
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
