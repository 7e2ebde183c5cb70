// directorctl plan FILE: what of the file and of what it includes arrives at directord.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "daemon.h"
#include "test/catch.h"

using director_test::Daemon;
using director_test::run;

namespace {

std::string service(const std::string& name, int port) {
  return "services: { " + name + ": { listen: 127.0.0.5:" + std::to_string(port) +
         ", servers: { w: { address: 127.0.0.1 } } } }\n";
}

}  // namespace

TEST_CASE("a plan has what the file includes, also by a glob and from folders below") {
  Daemon daemon;
  const auto folder = daemon.scratch.path / "planned";
  std::filesystem::create_directories(folder / "parts/below");
  const auto write = [&](const char* name, const std::string& text) { std::ofstream(folder / name) << text; };
  write("cluster.yaml", Daemon::head + std::string("include: [one.yaml, ./parts/*.yaml]\n") + service("own", 1));
  write("one.yaml", service("one", 2));
  write("parts/two.yaml", "include: below/../below/four.yaml\n" + service("two", 3));
  write("parts/three.yaml", service("three", 4));
  write("parts/other.txt", service("other", 5));
  write("parts/below/four.yaml", service("four", 6));
  const auto has_all = [](const std::string& output) {
    const bool has = std::ranges::all_of(std::array{"own", "one", "two", "three", "four"}, [&](const char* name) {
      return output.contains(std::string("+ service ") + name + "\n");
    });
    return has && !output.contains("other");
  };
  const auto plan = [&](const std::string& file) { return run(daemon.ask + "plan " + file); };
  const auto file = (folder / "cluster.yaml").string();
  const auto planned = plan(file);
  CHECK(planned.status == 0);
  INFO(planned.output);
  CHECK(has_all(planned.output));
  CHECK(has_all(run("cd " + (folder / "parts").string() + " && " + daemon.ask + "plan ../cluster.yaml").output));
  CHECK_THAT(run(daemon.ask + "services").output, !Catch::ContainsSubstring("one"));

  SECTION("an included file that is not there") {
    std::filesystem::remove(folder / "one.yaml");
    const auto refused = plan(file);
    CHECK(refused.status == 1);
    CHECK_THAT(refused.output, Catch::ContainsSubstring(file + ":3:11: error: '" + (folder / "one.yaml").string() +
                                                        "' cannot be read: No such file or directory\n"));
    CHECK_THAT(refused.output, Catch::ContainsSubstring("directorctl: " + file + " has errors, nothing was changed\n"));
  }
  SECTION("an included file that may not be read") {
    // A folder in its place, for root may read every file.
    std::filesystem::remove(folder / "parts/below/four.yaml");
    std::filesystem::create_directory(folder / "parts/below/four.yaml");
    const auto refused = plan(file);
    CHECK(refused.status == 1);
    CHECK_THAT(refused.output, Catch::ContainsSubstring((folder / "./parts/two.yaml").string() + ":1:10: error: ") &&
                                   Catch::ContainsSubstring("is a directory; expected a file\n"));
  }
  SECTION("an error in an included file has its place there") {
    write("parts/three.yaml", "servcies: {}\n");
    const auto refused = plan(file);
    CHECK(refused.status == 1);
    CHECK_THAT(refused.output, Catch::ContainsSubstring((folder / "./parts/three.yaml").string() + ":1:1: error: "));
  }
}

TEST_CASE("a plan needs files that directorctl may read, unless the file is directord's own") {
  const Daemon daemon;
  // Root reads every file, but for this.
  const std::string ask = (geteuid() == 0 ? "setpriv --bounding-set=-dac_override,-dac_read_search " : "") + daemon.ask;
  const auto other = (daemon.scratch.path / "other.yaml").string(), part = (daemon.scratch.path / "part.yaml").string();
  std::ofstream(part) << service("part", 1);
  std::ofstream(other) << Daemon::head << "include: part.yaml\n";
  CHECK_THAT(run(ask + "plan " + other).output, Catch::ContainsSubstring("+ service part\n"));

  REQUIRE(chmod(part.c_str(), 0) == 0);
  const auto refused = run(ask + "plan " + other);
  CHECK(refused.status == 1);
  CHECK_THAT(refused.output,
             Catch::ContainsSubstring(other + ":3:10: error: '" + part + "' cannot be read: Permission denied\n") &&
                 Catch::ContainsSubstring("directorctl: " + other + " has errors, nothing was changed\n"));

  REQUIRE(chmod(other.c_str(), 0) == 0);
  const auto not_own = run(ask + "plan " + other);
  CHECK(not_own.status == 1);
  CHECK_THAT(not_own.output, Catch::ContainsSubstring("directord reads no file but its own, " + daemon.file));
}
