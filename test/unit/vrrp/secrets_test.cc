#include "vrrp/secrets.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "test/catch.h"

namespace {

struct SecretFile {
  std::filesystem::path path;

  SecretFile(const std::string& text, mode_t mode) {
    std::string pattern = (std::filesystem::temp_directory_path() / "directord-secret-XXXXXX").string();
    ::close(mkstemp(pattern.data()));
    path = pattern;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
  }
  ~SecretFile() { std::filesystem::remove(path); }
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;
};

std::string refused(const std::string& keys) { return vrrp::parse_keys(keys).error().message; }

}  // namespace

TEST_CASE("a secret is read only where nobody else can") {
  for (const mode_t mode : {0600U, 0400U}) {
    const SecretFile file("hidden\n", mode);
    CHECK(vrrp::read_secret(file.path) == "hidden\n");
  }
  for (const mode_t mode : {0640U, 0604U, 0620U, 0610U}) {
    const SecretFile file("hidden\n", mode);
    CHECK(vrrp::read_secret(file.path).error().message.find("which gives others access") != std::string::npos);
  }
  CHECK(vrrp::read_secret("/").error().message == "read the secret /: not a regular file");
  CHECK(vrrp::read_secret("/nowhere").error().code == ENOENT);
  const SecretFile large(std::string(64 * 1024 + 1, 'x'), 0600);
  CHECK(vrrp::read_secret(large.path).error().message.ends_with(": larger than 64 KiB"));
}

TEST_CASE("keys are numbered lines, the first of which signs") {
  const auto keys = vrrp::parse_keys("# rotated in May\n2 a secret with blanks\n\n1 the older secret\n");
  REQUIRE(keys);
  CHECK(*keys ==
        std::vector<vrrp::Key>{{.id = 2, .secret = "a secret with blanks"}, {.id = 1, .secret = "the older secret"}});
}

TEST_CASE("a file of keys that is wrong is refused with its line, and without its secret") {
  CHECK(refused("") == "it contains no key");
  CHECK(refused("1 short\n") == "line 1: the secret is shorter than 16 characters");
  CHECK(refused("1 sixteen letters!\n1 sixteen letters?\n") == "line 2: the key id 1 occurs twice");
  for (const std::string line : {"256 sixteen letters!", "-1 sixteen letters!", "one sixteen letters!", "1",
                                 " 1 sixteen letters!", "1\tsixteen letters!"}) {
    CHECK(refused(line) == "line 1: expected an id from 0 to 255, a space, and a secret");
  }
}

TEST_CASE("a password is a line of at most 8 characters") {
  CHECK(vrrp::parse_password("1234\n") == "1234");
  CHECK(vrrp::parse_password("12345678") == "12345678");
  CHECK_FALSE(vrrp::parse_password("123456789\n"));
  CHECK_FALSE(vrrp::parse_password("\n"));
}
