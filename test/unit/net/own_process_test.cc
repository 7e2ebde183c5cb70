#include "net/own_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <tuple>

#include "net/fd.h"
#include "net/time.h"
#include "test/catch.h"

using net::Fd;
using namespace std::chrono_literals;

namespace {

struct Pipe {
  Fd reads, writes;
  Pipe() {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reads = Fd(ends[0]);
    writes = Fd(ends[1]);
  }
};

}  // namespace

TEST_CASE("work in a process of its own returns its errno, and has the one descriptor that it is given") {
  const Pipe given, other;
  CHECK(net::in_own_process(-1, [] { return 0; }) == 0);
  CHECK(net::in_own_process(-1, [] { return ENOSPC; }) == ENOSPC);
  CHECK(net::in_own_process(-1, [&] { return fcntl(given.writes.get(), F_GETFD) < 0 ? errno : 0; }) == EBADF);
  CHECK(net::in_own_process(given.writes.get(), [&] {
          if (fcntl(other.writes.get(), F_GETFD) >= 0 || fcntl(STDERR_FILENO, F_GETFD) >= 0) return EEXIST;
          return write(given.writes.get(), "x", 1) == 1 ? 0 : errno;
        }) == 0);
  char got = 0;
  CHECK(read(given.reads.get(), &got, 1) == 1);
  CHECK(fcntl(other.writes.get(), F_GETFD) == FD_CLOEXEC);  // ours are ours still
}

TEST_CASE("work that blocks for ever keeps no process from ending, and goes no further afterwards") {
  Pipe blocks, after;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::thread([&] {
      std::ignore = net::in_own_process(blocks.reads.get(), [&] {
        char byte = 0;
        return read(blocks.reads.get(), &byte, 1) == 1 ? 0 : EIO;  // for ever: both ends are held
      });
    }).detach();
    std::this_thread::sleep_for(200ms);
    _exit(7);
  }
  const auto limit = net::monotonic_now() + 5s;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0 && net::monotonic_now() < limit) std::this_thread::sleep_for(1ms);
  CHECK(WEXITSTATUS(status) == 7);
  // Nobody holds the reading end any more: what hung there is gone.
  {
    const Fd closed = std::move(blocks.reads);
  }
  pollfd writer{.fd = blocks.writes.get(), .events = 0, .revents = 0};
  CHECK(poll(&writer, 1, 5000) == 1);
  CHECK((writer.revents & POLLERR) != 0);
}
