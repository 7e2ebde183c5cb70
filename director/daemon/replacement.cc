#include "director/daemon/replacement.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "director/daemon/privileges.h"
#include "director/engine/log.h"
#include "net/fd.h"

namespace director {
namespace {

constexpr std::size_t said_max = 4096;

/// Between the answer to who asked and the end of this one.
constexpr auto time_to_answer = std::chrono::milliseconds(50);

std::vector<char*> pointers(const std::vector<std::string>& arguments) {
  std::vector<char*> made;
  for (const auto& argument : arguments) made.push_back(const_cast<char*>(argument.c_str()));  // exec's own type
  made.push_back(nullptr);
  return made;
}

int milliseconds_until(net::Instant deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - net::monotonic_now());
  return static_cast<int>(std::max(left.count(), std::chrono::milliseconds::rep{0}));
}

/// What it says until it ends or the time is up: the first of it.
std::string listen(int pipe, net::Instant deadline) {
  std::string said;
  char buffer[1024];
  pollfd readable{.fd = pipe, .events = POLLIN, .revents = 0};
  while (poll(&readable, 1, milliseconds_until(deadline)) > 0 && net::monotonic_now() < deadline) {
    const auto got = read(pipe, buffer, sizeof buffer);
    if (got <= 0) break;
    if (said.size() < said_max) said.append(buffer, static_cast<std::size_t>(got));
  }
  while (!said.empty() && said.back() == '\n') said.pop_back();
  return said;
}

}  // namespace

std::filesystem::path own_program(const std::string& name) {
  std::error_code error;
  if (name.find('/') != std::string::npos) return std::filesystem::absolute(name, error);
  return std::filesystem::read_symlink("/proc/self/exe", error);
}

net::Result<> Replacement::check() const {
  auto with_check = arguments;
  with_check.emplace_back("--check");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return net::system_error(errno, "create a pipe");
  const net::Fd ours(ends[0]);
  pid_t pid = 0;
  {
    const net::Fd theirs(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDERR_FILENO);
    pass_on_privileges();  // what it tries, it tries as the program that is to replace this one
    const int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, pointers(with_check).data(), environ);
    keep_privileges();
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return net::system_error(error, "run " + program.string());
  }
  const auto deadline = net::monotonic_now() + patience;
  const auto said = listen(ours.get(), deadline);
  const net::Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended{.fd = process.get(), .events = POLLIN, .revents = 0};
  if (!process || poll(&ended, 1, milliseconds_until(deadline)) <= 0) kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return net::failure(fmt::format("{} cannot replace the running process: {}", program.string(),
                                  said.empty() ? "its --check failed without a message" : said));
}

net::Error Replacement::exec() const {
  pass_on_privileges();
  log::flush(std::chrono::seconds(1));
  execv(program.c_str(), pointers(arguments).data());
  return {.code = errno, .message = net::system_error(errno, "run " + program.string()).error().message};
}

Replacer::Replacer(net::Loop& loop, Replacement replacement, PrepareExec prepare_exec,
                   std::unique_ptr<net::Background> background)
    : loop_(loop),
      replacement_(std::move(replacement)),
      prepare_exec_(std::move(prepare_exec)),
      background_(std::move(background)) {}

Replacer::~Replacer() { loop_.cancel(timer_); }

net::Result<std::unique_ptr<Replacer>> Replacer::create(net::Loop& loop, Replacement replacement,
                                                        PrepareExec prepare_exec) {
  auto background = net::Background::create(loop);
  if (!background) return std::unexpected(background.error());
  return std::unique_ptr<Replacer>(
      new Replacer(loop, std::move(replacement), std::move(prepare_exec), std::move(*background)));
}

void Replacer::replace(Done done) {
  if (background_->busy() || timer_ != 0) return done(net::failure("another replacement is running"));
  const auto shared = std::make_shared<Done>(std::move(done));
  const auto work = [this, replacement = replacement_, shared]() -> net::Background::Then {
    auto checked = replacement.check();
    return [this, shared, checked = std::move(checked)]() mutable {
      if (checked) {
        timer_ = loop_.after(time_to_answer, [this] {
          timer_ = 0;
          prepare_exec_([this] {
            log::error(replacement_.exec().message);  // it has returned: nothing checks any more, so start anew
            loop_.stop();
          });
        });
      }
      (*shared)(std::move(checked));
    };
  };
  background_->run(
      work, [shared](const net::Error& error) { (*shared)(net::failure("check the replacement: " + error.message)); });
}

}  // namespace director
