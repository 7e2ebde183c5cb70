#include "director/engine/probe_secrets.h"

#include <sys/stat.h>

#include <fstream>

#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

namespace {

/// shop() with an http check that is authorized by a file.
struct Guarded {
  director_test::Scratch scratch;
  std::string file = scratch.path / "health.auth";
  config::Cluster cluster = director_test::shop();

  explicit Guarded(const std::string& secret, mode_t mode = 0600) {
    std::ofstream(file) << secret;
    ::chmod(file.c_str(), mode);
    cluster.services[0].checks = {{.kind = checkers::Tcp{}}, {.kind = checkers::Http{.authorization_file = file}}};
  }

  [[nodiscard]] const checkers::Http& check() const {
    return std::get<checkers::Http>(cluster.services[0].checks[1].kind);
  }
  std::string refusal() {
    const auto read = director::read_probe_secrets(cluster);
    return read ? "" : read.error().message;
  }
};

}  // namespace

TEST_CASE("a probe's authorization comes from its file, the first line of it") {
  Guarded guarded("Basic dXNlcjpwYXNz\r\na remark\n");
  CHECK(guarded.refusal().empty());
  CHECK(guarded.check().authorization == "Basic dXNlcjpwYXNz");
}

TEST_CASE("another secret in the file is another check, so that a reload puts it in force") {
  Guarded guarded("Bearer one\n");
  REQUIRE(guarded.refusal().empty());
  const auto before = guarded.cluster;
  std::ofstream(guarded.file) << "Bearer two\n";
  REQUIRE(guarded.refusal().empty());
  CHECK(before.services != guarded.cluster.services);
}

TEST_CASE("a secret that others can read, that is missing or no header's value is refused, and never shown") {
  CHECK(Guarded("Basic hidden\n", 0644).refusal().find("which gives others access") != std::string::npos);
  for (const std::string secret : {"", "\n", "hidden\x01\n", "hidden\x7f"}) {
    Guarded guarded(secret);
    CHECK(guarded.refusal() ==
          guarded.file + ": its first line is not the value of a header, such as 'Basic dXNlcjpwYXNz'");
  }
  CHECK_FALSE(Guarded(std::string(5000, 'x')).refusal().empty());
  Guarded missing("x");
  std::filesystem::remove(missing.file);
  CHECK(missing.refusal().ends_with("No such file or directory"));
}
