#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <memory>
#include <string>

namespace director_test {

/// How a command ended, and all that it wrote.
struct Ended {
  int status = -1;     ///< -1: by a signal
  std::string output;  ///< both streams
};

/// Runs a command line by the shell.
inline Ended run(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(("{ " + command + "\n} 2>&1").c_str(), "r"),
                                                   [](FILE*) { return 0; });
  Ended ended;
  char buffer[4096];
  while (const auto got = fread(buffer, 1, sizeof buffer, pipe.get())) ended.output.append(buffer, got);
  const int status = pclose(pipe.get());
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ended;
}

}  // namespace director_test
