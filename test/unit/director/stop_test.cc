// The end of directord while it reads a file that takes long: it does not wait for it.

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "daemon.h"
#include "net/time.h"
#include "test/catch.h"

using director_test::Daemon;
using director_test::run;
using director_test::text_of;

namespace {

std::ptrdiff_t threads_of(const Daemon& daemon) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(daemon.pid) + "/task");
  return std::distance(begin(all), end(all));
}

}  // namespace

TEST_CASE("directord ends at once while it reads a file that takes long") {
  const Daemon daemon;
  const auto idle = threads_of(daemon);
  const auto large = (daemon.scratch.path / "large.yaml").string();
  {
    std::ofstream out(large);
    out << Daemon::head << "services:\n";
    for (int i = 0; i < 100'000; ++i) {
      out << "  s" << i << ": { listen: 192.0." << i / 40'000 << ".1:" << i % 40'000 + 1
          << ", servers: { w: { address: 10.0.0.1 } } }\n";
    }
  }
  const auto began = net::monotonic_now();
  REQUIRE(run(daemon.directorctl + " check " + large).status == 0);
  const auto whole = net::monotonic_now() - began;

  std::string asked;
  SECTION("because of SIGHUP") {
    std::filesystem::rename(large, daemon.file);
    REQUIRE(kill(daemon.pid, SIGHUP) == 0);
  }
  SECTION("because of a reload") {
    std::filesystem::rename(large, daemon.file);
    asked = "reload";
  }
  SECTION("for a plan") { asked = "plan " + large; }
  if (!asked.empty()) run(daemon.ask + asked + " >/dev/null 2>&1 &");
  REQUIRE(Daemon::comes_true([&] { return threads_of(daemon) > idle; }));

  const auto told = net::monotonic_now();
  REQUIRE(kill(daemon.pid, SIGTERM) == 0);
  CHECK(Daemon::comes_true([&] { return daemon.has_ended(); }));
  CHECK(net::monotonic_now() - told < whole / 2);
  CHECK(text_of(daemon.status) == "0\n");
  CHECK_THAT(text_of(daemon.log), !Catch::ContainsSubstring("SIGHUP") && !Catch::ContainsSubstring("services added"));
}
