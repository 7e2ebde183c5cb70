#include "checkers/probes/exec.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "checkers/probes/file.h"
#include "shell.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:80");

checkers::Key shell_check(const std::string& script, std::chrono::milliseconds timeout = 10s, bool weight = false) {
  return check(target, Exec{.command = {"/bin/sh", "-c", script}, .weight = weight}, timeout);
}

/// Whether this process has no child, alive or unreaped.
bool childless() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

Result run(const std::string& script, bool weight = false) {
  Shell shell;
  auto result = shell.first_result(shell_check(script, 10s, weight));
  shell.checks.set({});  // the next run of it may have begun
  shell.run_until(childless);
  return result;
}

/// A file of its own that is gone again afterwards.
struct TemporaryFile {
  std::string path = (std::filesystem::temp_directory_path() / "checkers-file-XXXXXX").string();
  TemporaryFile() { close(mkstemp(path.data())); }
  ~TemporaryFile() { std::filesystem::remove(path); }
  void write(const std::string& text) const { std::ofstream(path) << text; }
};

}  // namespace

TEST_CASE("an exit status by table") {
  const std::tuple<int, int, bool, std::string, Outcome, std::string> table[] = {
      {CLD_EXITED, 0, false, "", Outcome::passed, "exit status 0"},
      {CLD_EXITED, 0, true, "fine\nmore\n", Outcome::passed, R"(exit status 0: "fine")"},
      {CLD_EXITED, 1, false, "no disk", Outcome::failed, R"(exit status 1: "no disk")"},
      {CLD_EXITED, 1, true, "", Outcome::failed, "exit status 1"},
      {CLD_EXITED, 2, false, "", Outcome::failed, "exit status 2"},
      {CLD_EXITED, 2, true, "", Outcome::passed, "exit status 2, weight 0"},
      {CLD_EXITED, 255, true, "", Outcome::passed, "exit status 255, weight 253"},
      {CLD_KILLED, 9, true, "", Outcome::failed, "killed by signal 9"},
      {CLD_DUMPED, 11, false, "x", Outcome::failed, R"(killed by signal 11: "x")"},
  };
  for (const auto& [code, status, weight, output, outcome, sentence] : table) {
    const auto result = result_of_exit("exec", code, status, weight, output);
    CHECK(result.outcome == outcome);
    CHECK(result.sentence == "exec: " + sentence);
  }
  CHECK(result_of_exit("exec", CLD_EXITED, 12, true, "").advice.weight == Advice::Weight{.value = 10});
}

TEST_CASE("a program is run with a clean environment, and its first words are told") {
  CHECK(run("echo $CHECK_ADDRESS $CHECK_PORT; exit 0").sentence ==
        R"(exec /bin/sh for 10.0.0.7:80: exit status 0: "10.0.0.7 80")");
  setenv("CHECKERS_SECRET", "x", 1);
  CHECK(run("test -z \"$CHECKERS_SECRET\" && test $(pwd) = /").outcome == Outcome::passed);
  CHECK(run("exit 3").outcome == Outcome::failed);
  CHECK(run("exit 7", true).advice.weight == Advice::Weight{.value = 5});
  CHECK(run("kill -9 $$").sentence == "exec /bin/sh for 10.0.0.7:80: killed by signal 9");
  CHECK(run("read line").outcome == Outcome::failed);  // its input is empty
  CHECK(run("yes | head -c 1000000 || exit 1").sentence == R"(exec /bin/sh for 10.0.0.7:80: exit status 0: "y")");
}

TEST_CASE("a program that prints without end costs little until its deadline") {
  Shell shell;
  const auto before = std::clock();
  CHECK(shell.first_result(shell_check("exec yes", 500ms)).sentence ==
        "exec /bin/sh for 10.0.0.7:80: timed out after 500 ms");
  shell.checks.set({});
  shell.run_until(childless);
  CHECK(std::clock() - before < CLOCKS_PER_SEC / 4);
}

TEST_CASE("a program gets no rights it should not have") {
  if (geteuid() == 0)
    CHECK(run("test $(id -un) = nobody && test $(id -G) = $(id -g nobody)").outcome == Outcome::passed);
  CHECK(run("grep -q 'NoNewPrivs:.1' /proc/self/status").outcome == Outcome::passed);
  CHECK(run("test $(ls /proc/self/fd | wc -l) -le 4").outcome == Outcome::passed);  // 0, 1, 2 and ls's own
}

TEST_CASE("a program that cannot be started is this host's fault") {
  const TemporaryFile script;
  script.write("exit 0\n");
  const auto start = [](const std::string& program) {
    Shell shell;
    return shell.first_result(check(target, Exec{.command = {program}}));
  };
  const auto result = start("/nonexistent/check");
  CHECK(result.outcome == Outcome::blocked);
  CHECK(result.local_fault == "exec /nonexistent/check: No such file or directory");
  CHECK(result.sentence == "exec /nonexistent/check for 10.0.0.7:80: could not be run: No such file or directory");
  CHECK(start(script.path).local_fault == "exec " + script.path + ": Permission denied");
  std::filesystem::permissions(script.path, std::filesystem::perms::all);
  CHECK(start(script.path).local_fault == "exec " + script.path + ": Exec format error");
  script.write("#!/nonexistent/interpreter\n");
  CHECK(start(script.path).local_fault == "exec " + script.path + ": No such file or directory");
  if (geteuid() == 0) CHECK_FALSE(ExecPlan::prepare({.command = {"/bin/true"}, .user = "no-such-user"}));
}

TEST_CASE("at the deadline the whole process group is killed") {
  const TemporaryFile pids;
  std::filesystem::permissions(pids.path, std::filesystem::perms::all);
  Shell shell;
  shell.checks.set({{shell_check(fmt::format("sleep 1000 & echo $! $$ >> {}; sleep 1000", pids.path), 300ms)}});
  pid_t grandchild = 0;
  pid_t child = 0;
  // On a busy machine a run may be over before it has said who it is.
  shell.run_until([&] {
    std::ifstream in(pids.path);
    return static_cast<bool>(in >> grandchild >> child);
  });
  const auto over = shell.seen.size();
  shell.run_until([&] { return shell.seen.size() > over; });
  CHECK(shell.seen.back().result.outcome == Outcome::failed);
  CHECK(shell.seen.back().result.sentence == "exec /bin/sh for 10.0.0.7:80: timed out after 300 ms");
  shell.run_until([&] { return kill(child, 0) != 0; });
  // The grandchild is somebody else's to reap: it is dead when it runs no more.
  std::string state = "?";
  shell.run_until([&] {
    std::string line;
    std::getline(std::ifstream(fmt::format("/proc/{}/stat", grandchild)), line);
    state = line.empty() ? "gone" : line.substr(line.rfind(')') + 2, 1);
    return state == "gone" || state == "Z" || state == "X";
  });
  shell.checks.set({});
  shell.run_until(childless);
}

TEST_CASE("no program survives or is left unreaped when its check goes") {
  Shell shell;
  shell.checks.set({{shell_check("sleep 1000")}});
  shell.run_until([&] { return shell.checks.in_flight() == 1; });
  shell.checks.set({});
  shell.run_until(childless);
}

TEST_CASE("killed programs are not waited for, and those that do not end are not joined by more") {
  auto loop = net::Loop::create().value();
  const TemporaryFile pids;
  std::filesystem::permissions(pids.path, std::filesystem::perms::all);
  const auto script = fmt::format("echo $$ >> {}; exec sleep 1000", pids.path);
  const auto plan = ExecPlan::prepare({.command = {"/bin/sh", "-c", script}}).value();
  const auto start = [&](const net::Endpoint& endpoint) {
    return start_exec(loop, plan, endpoint, [](const Result&) {});
  };
  const auto is_running = [](const StartedProbe& started) {
    return std::holds_alternative<std::unique_ptr<ProbeRun>>(started);
  };
  const auto limit = net::monotonic_now() + 20s;
  {
    std::vector<StartedProbe> runs;
    for (int i = 0; i < 4; ++i) REQUIRE(is_running(runs.emplace_back(start(target))));
    const auto begun = [&] {
      std::ifstream in(pids.path);
      return std::count(std::istreambuf_iterator<char>(in), {}, '\n') == 4;
    };
    while (!begun() && net::monotonic_now() < limit) REQUIRE(loop.turn(5ms));
    REQUIRE(begun());
  }  // each is killed, and reaped by no turn
  CHECK_FALSE(childless());
  {
    const auto refused = start(target);
    REQUIRE_FALSE(is_running(refused));
    CHECK(std::get<Result>(refused).outcome == Outcome::failed);
    CHECK(std::get<Result>(refused).sentence ==
          "exec /bin/sh for 10.0.0.7:80: 4 earlier runs were killed and have not exited");
  }
  CHECK(is_running(start(*net::Endpoint::parse("10.0.0.8:80"))));

  while (!childless() && net::monotonic_now() < limit) REQUIRE(loop.turn(5ms));
  REQUIRE(childless());
  CHECK(is_running(start(target)));
  while (!childless() && net::monotonic_now() < limit) REQUIRE(loop.turn(5ms));
  CHECK(childless());
}

TEST_CASE("a state file speaks the agent's language; without it the check passes") {
  const TemporaryFile file;
  const File spec{.path = file.path};
  CHECK(read_state_file(spec).sentence == "file " + file.path + ": empty");
  file.write("drain # upgrade\n");
  CHECK(read_state_file(spec).advice.admin_state == Advice::AdminState::drain);
  CHECK(read_state_file(spec).sentence == "file " + file.path + R"(: drain, "upgrade")");
  file.write("down\n");
  CHECK(read_state_file(spec).outcome == Outcome::failed);
  file.write("20");
  CHECK(read_state_file(spec).advice.weight == Advice::Weight{.value = 20});
  file.write("nonsense\n");
  CHECK(read_state_file(spec).outcome == Outcome::failed);
  file.write(std::string(5000, 'x'));
  CHECK(read_state_file(spec).sentence == "file " + file.path + ": could not be run: larger than 4 KiB");
  CHECK(read_state_file(spec).outcome == Outcome::blocked);
  CHECK(read_state_file(spec).local_fault == "file " + file.path + ": larger than 4 KiB");
  CHECK(read_state_file({.path = "/nonexistent/file"}).outcome == Outcome::passed);
  CHECK(read_state_file({.path = "/"}).outcome == Outcome::blocked);

  file.write("maint");
  Shell shell;
  const auto key = check(target, spec);
  CHECK(shell.first_result(key).outcome == Outcome::passed);
  CHECK(shell.checks.find(key)->advice.admin_state == Advice::AdminState::maint);
}

TEST_CASE("a script dies of SIGPIPE as anywhere, though this process ignores it") {
  auto* const before = std::signal(SIGPIPE, SIG_IGN);
  const auto result = run("kill -PIPE $$; exit 0");
  std::signal(SIGPIPE, before);
  CHECK(result.outcome == Outcome::failed);
  CHECK(result.sentence.find("killed by signal 13") != std::string::npos);
}
