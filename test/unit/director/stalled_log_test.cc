// The daemon beside a log that nobody reads. Nothing here needs a privilege.

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "net/fd.h"
#include "net/time.h"
#include "run.h"
#include "scratch.h"
#include "test/catch.h"

using director_test::run;
using namespace std::chrono_literals;

namespace {

class Daemon {
 public:
  explicit Daemon(bool stalled) {
    std::ofstream(scratch_.path / "cluster.yaml")
        << "cluster: shop\nnodes:\n  lb1: { address: 127.0.0.1, priority: 150 }\nservices:\n  web:\n"
           "    listen: 127.0.0.5:80\n    check: { tcp: {}, interval: 2s, timeout: 1s }\n"
           "    servers:\n      web1: { address: 127.0.0.1:81 }\n";
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reads_ = net::Fd(ends[0]);
    const net::Fd writes(ends[1]);
    const std::string block(PIPE_BUF, '.');
    const int size = fcntl(writes.get(), F_GETPIPE_SZ);
    for (int filled = 0; stalled && filled + PIPE_BUF <= size; filled += PIPE_BUF)
      REQUIRE(write(writes.get(), block.data(), block.size()) == PIPE_BUF);

    std::vector<std::string> words = {PROGRAMS "/directord",          "--dry-run",     "--node",     "lb1", "--config",
                                      scratch_.path / "cluster.yaml", "--runtime-dir", scratch_.path};
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, writes.get(), STDERR_FILENO);
    REQUIRE(posix_spawn(&pid_, words.front().c_str(), &actions, nullptr, argv.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
  }
  ~Daemon() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// What directorctl prints; "" where it fails.
  [[nodiscard]] std::string ctl(const std::string& words) const {
    const auto ended = run(PROGRAMS "/directorctl --socket " + (scratch_.path / "control.sock").string() + " " + words);
    return ended.status == 0 ? ended.output : "";
  }

  [[nodiscard]] bool until(auto holds, net::Duration limit = 10s) const {
    const auto end = net::monotonic_now() + limit;
    while (!holds()) {
      if (net::monotonic_now() > end) return false;
      std::this_thread::sleep_for(10ms);
    }
    return true;
  }

  [[nodiscard]] bool shows_problem() const { return ctl("status").contains("the log cannot be written (since "); }

  /// What is in the pipe now.
  [[nodiscard]] std::string read_log() const {
    std::string text;
    char buffer[4096];
    pollfd readable{.fd = reads_.get(), .events = POLLIN, .revents = 0};
    while (poll(&readable, 1, 200) > 0) {
      const auto got = read(reads_.get(), buffer, sizeof buffer);
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

  /// Its status as waitpid has it, and how long that took.
  std::optional<int> terminate(net::Duration limit) {
    kill(pid_, SIGTERM);
    int status = 0;
    if (!until([&] { return waitpid(pid_, &status, WNOHANG) == pid_; }, limit)) return std::nullopt;
    pid_ = 0;
    return status;
  }

 private:
  director_test::Scratch scratch_;
  net::Fd reads_;
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE(
    "a log that is read: the daemon answers, has no problem with it, and ends at SIGTERM with all lines written") {
  Daemon daemon(false);
  REQUIRE(daemon.until([&] { return daemon.ctl("status").contains("web1"); }));
  std::this_thread::sleep_for(2500ms);
  CHECK_FALSE(daemon.shows_problem());
  CHECK(daemon.terminate(3s) == 0);
  const auto log = daemon.read_log();
  CHECK(log.contains("on lb1, cluster shop"));
  CHECK(log.contains("Terminated: stopping"));
  CHECK(log.contains("directord: stopped"));
}

TEST_CASE("a log that nobody reads stops neither the daemon nor its end, and is a problem until it is read") {
  Daemon daemon(true);
  REQUIRE(daemon.until([&] { return daemon.ctl("status").contains("web1"); }));
  CHECK_FALSE(daemon.ctl("drain web/web1").empty());
  REQUIRE(daemon.until([&] { return daemon.shows_problem(); }));
  CHECK(daemon.ctl("events").contains("the log cannot be written"));

  SECTION("it is read again") {
    CHECK(daemon.read_log().contains("web/web1"));
    CHECK(daemon.until([&] { return !daemon.shows_problem(); }));
    CHECK(daemon.ctl("events").contains("the log can be written again"));
    CHECK(daemon.terminate(3s) == 0);
  }
  SECTION("it is not, and the daemon is to end") { CHECK(daemon.terminate(4s) == 0); }
}
