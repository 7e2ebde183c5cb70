// Files, programs and a user database that hang: the loop goes on, the deadline ends the probe as this host's fault,
// and what hangs does not pile up.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <optional>
#include <thread>

#include "checkers/late_prober.h"
#include "checkers/probes/attempt.h"
#include "checkers/probes/exec.h"
#include "checkers/probes/file.h"
#include "net/fd.h"
#include "shell.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:80");

/// Blocks threads until it is opened.
class Gate {
 public:
  ~Gate() { open(); }
  void open() {
    if (!latch_->try_wait()) latch_->count_down();
  }
  [[nodiscard]] auto wait() const {
    return [latch = latch_] { latch->wait(); };
  }

 private:
  std::shared_ptr<std::latch> latch_ = std::make_shared<std::latch>(1);
};

bool is_running(const StartedProbe& started) { return std::holds_alternative<std::unique_ptr<ProbeRun>>(started); }

/// A program whose execve waits for as long as this lives: its file is leased (fcntl(2), F_SETLEASE).
class HangingProgram {
 public:
  HangingProgram() {
    std::signal(SIGIO, SIG_IGN);  // which asks for the lease back
    std::ofstream(path_) << "#!/bin/sh\necho run >> " << path_ << ".ran\n";
    std::filesystem::permissions(path_, std::filesystem::perms::all);
    lease_ = net::Fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(fcntl(lease_.get(), F_SETLEASE, F_WRLCK) == 0);
  }
  ~HangingProgram() {
    go_on();
    std::filesystem::remove(path_);
    std::filesystem::remove(path_ + ".ran");
  }
  HangingProgram(const HangingProgram&) = delete;
  HangingProgram& operator=(const HangingProgram&) = delete;

  void go_on() { const net::Fd closed = std::move(lease_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_ = fmt::format("/dev/shm/directord-hangs-{}", getpid());
  net::Fd lease_;
};

bool childless() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

void turn_until(net::Loop& loop, auto done) {
  const auto limit = net::monotonic_now() + 20s;
  while (!done() && net::monotonic_now() < limit) REQUIRE(loop.turn(5ms));
  REQUIRE(done());
}

}  // namespace

TEST_CASE("a file whose file system hangs is waited for in a thread, and at the deadline it is this host's fault") {
  auto loop = net::Loop::create().value();
  const File spec{.path = "/nonexistent/hangs"};
  Gate gate;
  const auto start = [&](auto on_done) {
    return start_file(loop, spec, std::move(on_done), [wait = gate.wait()](const File& file) {
      wait();
      return read_state_file(file);
    });
  };
  bool told = false;
  for (int i = 0; i < Attempt::most_of_a_name; ++i) {
    const auto began = net::monotonic_now();
    const auto started = start([&](const Result&) { told = true; });
    REQUIRE(is_running(started));
    REQUIRE(loop.turn(20ms));
    CHECK(net::monotonic_now() - began < 5s);
    const auto result = std::get<std::unique_ptr<ProbeRun>>(started)->timed_out(1s);
    CHECK(result.outcome == Outcome::blocked);
    CHECK(result.local_fault == "file /nonexistent/hangs: its file system has not answered for 1 s");
  }
  CHECK_FALSE(told);
  const auto refused = start([](const Result&) {});
  REQUIRE_FALSE(is_running(refused));
  CHECK(std::get<Result>(refused).outcome == Outcome::blocked);
  CHECK(std::get<Result>(refused).sentence.ends_with(
      "4 earlier readings of it have not ended: its file system does not answer"));
  CHECK(is_running(start_file(loop, {.path = "/nonexistent/other"}, [](const Result&) {})));

  gate.open();
  turn_until(loop, [&] { return !Attempt::too_many_of("file /nonexistent/hangs"); });
  std::optional<Result> result;
  const auto started = start([&](Result read) { result = std::move(read); });
  REQUIRE(is_running(started));
  turn_until(loop, [&] { return result.has_value(); });
  CHECK(result->outcome == Outcome::passed);
  CHECK_FALSE(told);  // what was given up tells nobody
}

TEST_CASE("a program whose file system hangs is started beside the loop, and its check is this host's fault") {
  HangingProgram program;
  {
    Shell shell;
    const auto hangs = check(target, Exec{.command = {program.path()}}, 300ms);
    const auto works = check(*net::Endpoint::parse("10.0.0.8:80"), Exec{.command = {"/bin/true"}});
    shell.checks.set({{hangs, works}});
    const auto began = net::monotonic_now();
    shell.run_until([&] { return shell.first_of(works) != nullptr; });
    CHECK(shell.first_of(hangs) == nullptr);
    shell.run_until([&] { return shell.first_of(hangs) != nullptr; });
    CHECK(net::monotonic_now() - began < 5s);
    const auto& result = shell.first_of(hangs)->result;
    CHECK(result.outcome == Outcome::blocked);
    CHECK(result.local_fault ==
          fmt::format("exec {}: it has not started in 300 ms: its file system does not answer", program.path()));
    const auto over = [&](std::string_view end) {
      return std::ranges::any_of(shell.seen, [&](const auto& seen) { return seen.result.sentence.ends_with(end); });
    };
    shell.run_until([&] { return over("4 earlier runs were killed and have not exited"); });
  }
  program.go_on();
  // What was given up is killed and reaped by the threads that started it.
  const auto limit = net::monotonic_now() + 20s;
  while (!childless() && net::monotonic_now() < limit) std::this_thread::sleep_for(5ms);
  CHECK(childless());
  Shell shell;
  shell.run_until([&] { return !Attempt::too_many_of("exec " + program.path() + " for 10.0.0.7:80"); });
  CHECK(shell.first_result(check(target, Exec{.command = {program.path()}})).outcome == Outcome::passed);
}

TEST_CASE("a prober that waits for this host is made once, in a thread, and its runs wait for it") {
  auto loop = net::Loop::create().value();
  auto gate = std::make_unique<Gate>();
  auto made = std::make_shared<std::atomic<int>>(0);
  const auto late = [&](bool well) {
    return LateProber("tcp", [=, wait = gate->wait()]() -> net::Result<std::unique_ptr<Prober>> {
      wait();
      ++*made;
      if (!well) return net::system_error(ENOENT, "read the CA file /ca.pem");
      return make_prober({.kind = File{.path = "/nonexistent/file"}});
    });
  };
  const auto prober = late(true), broken = late(false);
  int passed = 0, blocked = 0;
  std::vector<StartedProbe> runs;
  const auto start = [&](const Prober& of) {
    REQUIRE(is_running(runs.emplace_back(of.start(loop, target, 0, [&](const Result& result) {
      ++(result.outcome == Outcome::passed ? passed : blocked);
      if (result.outcome != Outcome::passed)
        CHECK(result.local_fault == "read the CA file /ca.pem: No such file or directory");
    }))));
  };
  for (int i = 0; i < 3; ++i) {
    start(prober);
    start(broken);
  }
  runs.pop_back();  // given up
  REQUIRE(loop.turn(20ms));
  CHECK(passed + blocked == 0);
  const auto late_result = std::get<std::unique_ptr<ProbeRun>>(runs.front())->timed_out(1s);
  CHECK(late_result.outcome == Outcome::blocked);
  CHECK(late_result.local_fault == "this host's file system or user database has not answered for 1 s");
  gate->open();
  turn_until(loop, [&] { return passed == 3 && blocked == 2; });
  CHECK(*made == 2);
  start(prober);
  start(broken);
  turn_until(loop, [&] { return passed == 4 && blocked == 3; });
  CHECK(*made == 3);  // what failed is tried again
}
