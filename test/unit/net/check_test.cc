#include "net/check.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <csignal>
#include <map>
#include <string>
#include <tuple>

#include "net/time.h"
#include "test/catch.h"

namespace {

struct Ended {
  int status = 0;
  std::string said;
};

/// What a child says on standard error while it runs `act`, and how it ends.
template <class Act>
Ended run_apart(Act act) {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // Catch2 would report the child's end as its own
    dup2(pipe[1], STDERR_FILENO);
    act();
    _exit(0);
  }
  close(pipe[1]);
  Ended ended;
  std::array<char, 1024> buffer{};
  for (ssize_t size; (size = read(pipe[0], buffer.data(), buffer.size())) > 0;) {
    ended.said.append(buffer.data(), static_cast<std::size_t>(size));
  }
  close(pipe[0]);
  REQUIRE(waitpid(child, &ended.status, 0) == child);
  return ended;
}

}  // namespace

TEST_CASE("an invariant that does not hold ends the process with its sentence and its place") {
  const auto ended = run_apart([] { net::check(1 + 1 == 3, "one and one are three"); });
  REQUIRE(WIFSIGNALED(ended.status));
  CHECK(WTERMSIG(ended.status) == SIGABRT);
  CHECK_THAT(ended.said, Catch::ContainsSubstring("internal error, a bug in this program: invariant violated: "
                                                  "one and one are three ("));
  CHECK_THAT(ended.said, Catch::ContainsSubstring("check_test.cc:"));
  CHECK(ended.said.back() == '\n');
}

TEST_CASE("a long sentence about a broken invariant is cut, and ends its line") {
  const std::string sentence(2000, 'x');
  const auto ended = run_apart([&] { net::check(false, sentence); });
  REQUIRE(WIFSIGNALED(ended.status));
  CHECK(ended.said.size() == 512);
  CHECK(ended.said.back() == '\n');
}

TEST_CASE("what an invariant says is there, and is not, ends the process") {
  const std::map<int, int> squares = {{2, 4}};
  const int* const nothing = nullptr;
  for (const auto& ended : {run_apart([&] { std::ignore = net::must_find(squares, 3, "every number has a square"); }),
                            run_apart([&] { std::ignore = net::must_exist(nothing, "every number has a square"); })}) {
    REQUIRE(WIFSIGNALED(ended.status));
    CHECK(WTERMSIG(ended.status) == SIGABRT);
    CHECK_THAT(ended.said,
               Catch::ContainsSubstring("every number has a square (") && Catch::ContainsSubstring("check_test.cc:"));
  }
  CHECK(net::must_find(squares, 2, "every number has a square") == 4);
}

TEST_CASE("a broken invariant ends the process also where nobody reads what it says") {
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  const std::string block(PIPE_BUF, '.');
  for (int filled = 0; filled < fcntl(pipe[1], F_GETPIPE_SZ); filled += PIPE_BUF)
    REQUIRE(write(pipe[1], block.data(), block.size()) == PIPE_BUF);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(pipe[1], STDERR_FILENO);
    net::check(false, "one and one are three");
    _exit(0);
  }
  int status = 0;
  const auto limit = net::monotonic_now() + std::chrono::seconds(10);
  while (waitpid(child, &status, WNOHANG) == 0 && net::monotonic_now() < limit) usleep(10'000);
  kill(child, SIGKILL);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
  for (const int end : pipe) close(end);
}

TEST_CASE("an invariant that holds says nothing") {
  const auto ended = run_apart([] { net::check(true, "one and one are two"); });
  CHECK(WIFEXITED(ended.status));
  CHECK(ended.said.empty());
}
