#include "test/interop/program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/catch.h"

namespace {

/// A file in memory, which takes any amount without anybody reading it meanwhile.
int memory_file(const std::string& content = {}) {
  const int fd = ::memfd_create("test", MFD_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  REQUIRE(::lseek(fd, 0, SEEK_SET) == 0);
  return fd;
}

std::string take_content(int fd) {
  std::string content(static_cast<std::size_t>(::lseek(fd, 0, SEEK_END)), '\0');
  REQUIRE(::pread(fd, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()));
  ::close(fd);
  return content;
}

}  // namespace

Outcome run_program(std::vector<std::string> words, const std::string& input) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int in = memory_file(input), out = memory_file(), err = memory_file();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  ::close(in);
  return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .out = take_content(out), .err = take_content(err)};
}
