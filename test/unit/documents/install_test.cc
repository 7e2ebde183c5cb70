// What `cmake --install` puts where, as docs/install.md says.

#include <algorithm>
#include <filesystem>

#include "pages.h"
#include "test/catch.h"
#include "test/unit/director/run.h"
#include "test/unit/director/scratch.h"

namespace {

namespace fs = std::filesystem;

/// The programs that a unit starts.
pages::Lines programs_of(const fs::path& unit) {
  pages::Lines programs;
  for (const auto& line : pages::lines_of(unit)) {
    if (!line.starts_with("Exec")) continue;
    const auto begin = line.find('=') + 1;
    programs.push_back(line.substr(begin, line.find(' ', begin) - begin));
  }
  return programs;
}

}  // namespace

TEST_CASE("an installation is whole, and its unit starts the programs that were installed, whatever the prefix") {
  for (const std::string prefix : {"/usr", "/usr/local"}) {
    INFO(prefix);
    const director_test::Scratch root;
    const auto ended =
        director_test::run("DESTDIR=" + root.path.string() + " cmake --install " BUILD_DIR " --prefix " + prefix);
    INFO(ended.output);
    REQUIRE(ended.status == 0);
    const auto at = [&](const std::string& path) { return root.path.string() + path; };
    for (const auto* file :
         {"/sbin/directord", "/sbin/ipvsctl", "/bin/directorctl", "/lib/systemd/system/directord.service",
          "/lib/sysusers.d/directord.conf", "/share/man/man8/directord.8", "/share/man/man8/directorctl.8",
          "/share/man/man8/ipvsctl.8", "/share/man/man5/cluster.yaml.5", "/share/directord/cluster.schema.json",
          "/share/doc/directord/examples/shop.yaml", "/share/doc/directord/CHANGELOG.md",
          "/share/doc/directord/install.md"}) {
      INFO(file);
      CHECK(fs::is_regular_file(at(prefix + file)));
    }
    CHECK(fs::is_directory(at("/etc/directord")));
    const auto programs = programs_of(at(prefix + "/lib/systemd/system/directord.service"));
    CHECK(programs == pages::Lines{prefix + "/sbin/directord", prefix + "/bin/directorctl"});
    for (const auto& program : programs) CHECK(fs::is_regular_file(at(program)));
  }
}
