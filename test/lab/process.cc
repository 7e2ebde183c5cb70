#include "test/lab/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace lab {

namespace {

[[noreturn]] void become(const Host& host, std::vector<std::string>& argv, int log) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  setns(host.network.fd(), CLONE_NEWNET);
  if (unshare(CLONE_NEWUTS) != 0 || sethostname(host.name.c_str(), host.name.size()) != 0) {
    dprintf(log, "cannot name host %s: %s\n", host.name.c_str(), std::strerror(errno));
    _exit(127);
  }
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
  dup2(log, 1);
  dup2(log, 2);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> arguments;
  for (auto& argument : argv) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  dprintf(2, "cannot run %s: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

Process::Process(const Host& host, std::vector<std::string> argv, std::filesystem::path log) : log_(std::move(log)) {
  const net::Fd file(
      must(open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644), "open " + log_.string()));
  pid_ = must(fork(), "fork");
  if (pid_ == 0) become(host, argv, file.get());
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_), log_(std::move(other.log_)) {}

Process::~Process() {
  if (pid_ < 0) return;
  signal_group(SIGKILL);
  if (!status_) waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (!status_) ::kill(pid_, number);
}

void Process::signal_group(int number) const { ::kill(-pid_, number); }

void Process::set_nice(int value) const {
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_))) {
    const auto id = static_cast<id_t>(std::stoi(task.path().filename()));
    must(setpriority(PRIO_PROCESS, id, value), "set a thread's priority");
  }
}

std::optional<int> Process::wait(net::Duration limit) {
  wait_until(
      [&] {
        int status = 0;
        if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_)
          status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        return status_.has_value();
      },
      limit);
  return status_;
}

Output run(const Host& host, std::vector<std::string> argv, net::Duration limit) {
  const net::Fd memory(must(memfd_create("output", MFD_CLOEXEC), "memfd"));
  const std::filesystem::path log = "/proc/self/fd/" + std::to_string(memory.get());
  Output output;
  {
    Process process(host, std::move(argv), log);
    output.status = process.wait(limit).value_or(128 + SIGKILL);
  }
  std::ifstream in(log);
  output.text = {std::istreambuf_iterator<char>(in), {}};
  return output;
}

std::filesystem::path programs_folder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }

void sleep_for(net::Duration duration) { std::this_thread::sleep_for(duration); }

}  // namespace lab
