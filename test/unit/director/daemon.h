#pragma once

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "run.h"
#include "scratch.h"
#include "test/catch.h"

namespace director_test {

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A dry run of the program directord, with a cluster file without services, that has answered.
struct Daemon {
  static constexpr auto head = "cluster: shop\nnodes: { lb1: { address: 127.0.0.1, priority: 150 } }\n";

  Scratch scratch;
  std::string file = scratch.path / "cluster.yaml";
  std::string log = scratch.path / "log";
  std::filesystem::path status = scratch.path / "status";  ///< its exit status and a newline, once it has ended
  std::string directorctl = PROGRAMS "/directorctl";
  std::string arguments = " --socket " + (scratch.path / "run/control.sock").string() + " ";
  std::string ask = directorctl + arguments;
  pid_t pid = 0;

  Daemon() {
    std::ofstream(file) << head << "services: {}\n";
    const auto folder = (scratch.path / "run").string();
    // The timeout: should this test be killed, the daemon ends all the same.
    run("( timeout --foreground 300 " PROGRAMS "/directord --dry-run --node lb1 --config " + file + " --runtime-dir " +
        folder + " --state-dir " + folder + "; echo $? >" + status.string() + " ) >" + log + " 2>&1 </dev/null &");
    const bool answers = comes_true([&] { return has_ended() || run(ask + "status").status == 0; });
    INFO(text_of(log));
    CHECK(answers);
    const auto number = text_of(folder + "/directord.pid");
    if (!number.empty()) pid = std::stoi(number);
  }
  ~Daemon() {
    if (pid != 0 && !has_ended()) kill(pid, SIGKILL);
    comes_true([&] { return has_ended(); });
  }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  [[nodiscard]] bool has_ended() const { return text_of(status).ends_with('\n'); }

  /// Within a minute.
  template <class Condition>
  static bool comes_true(Condition condition) {
    for (int attempt = 0; attempt < 6000 && !condition(); ++attempt) usleep(10'000);
    return condition();
  }
};

}  // namespace director_test
