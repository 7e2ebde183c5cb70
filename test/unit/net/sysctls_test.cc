#include "net/sysctls.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "net/kernel_host.h"
#include "test/catch.h"

using net::Sysctls;

namespace {

/// A folder with settings in it, in place of /proc/sys.
struct Settings {
  std::filesystem::path root = make_folder();
  net::KernelHost host{root};

  Settings() { put("filter", "1"); }
  ~Settings() { std::filesystem::remove_all(root); }

  void put(const std::string& name, const std::string& value) const { std::ofstream(root / name) << value << '\n'; }

 private:
  static std::filesystem::path make_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "directord-test-XXXXXX").string();
    return mkdtemp(pattern.data());
  }
};

}  // namespace

TEST_CASE("a setting is changed and put back") {
  Settings settings;
  Sysctls sysctls(settings.host);
  REQUIRE(sysctls.set("filter", "2"));
  CHECK(sysctls.read("filter") == "2");
  sysctls.restore();
  CHECK(sysctls.read("filter") == "1");
}

TEST_CASE("what somebody else has changed since is left to them") {
  Settings settings;
  Sysctls sysctls(settings.host);
  REQUIRE(sysctls.set("filter", "2"));
  settings.put("filter", "0");
  sysctls.restore();
  CHECK(sysctls.read("filter") == "0");
}

TEST_CASE("a setting that is as wanted is neither written nor put back") {
  Settings settings;
  const auto long_ago = std::filesystem::file_time_type(std::chrono::hours(1));
  std::filesystem::last_write_time(settings.root / "filter", long_ago);
  Sysctls sysctls(settings.host);
  REQUIRE(sysctls.set("filter", "1"));
  sysctls.restore();
  CHECK(std::filesystem::last_write_time(settings.root / "filter") == long_ago);
}

TEST_CASE("what was there first is put back, however often it was changed") {
  Settings settings;
  Sysctls sysctls(settings.host);
  REQUIRE(sysctls.set("filter", "2"));
  settings.put("filter", "1");
  REQUIRE(sysctls.set("filter", "0"));
  sysctls.restore();
  CHECK(sysctls.read("filter") == "1");
}

TEST_CASE("what a life before a crash has changed is put back by the next, but for what somebody changed meanwhile") {
  Settings settings;
  const auto memory = settings.root / "memory";
  std::filesystem::create_directories(settings.root / "net");
  settings.put("net/filter", "1");
  settings.put("net/forward", "0");
  {
    Sysctls first(settings.host, memory);
    REQUIRE(first.set("net/filter", "2"));
    REQUIRE(first.set("net/forward", "1"));
  }
  settings.put("net/forward", "0");
  {
    Sysctls second(settings.host, memory);
    REQUIRE(second.set("net/filter", "2"));  // it is
    settings.put("net/forward", "1");        // by somebody else, after the second life looked
  }
  Sysctls third(settings.host, memory);
  third.restore();
  CHECK(third.read("net/filter") == "1");
  CHECK_FALSE(std::filesystem::exists(memory));
}

TEST_CASE("a damaged memory of settings, or one that names what is not below net/, changes nothing") {
  Settings settings;
  const auto memory = settings.root / "memory";
  for (const char* text : {"", "filter\n0\n1\n", "net/../filter\n0\n1\n", "net/filter", "\n\n\n\n"}) {
    std::ofstream(memory) << text;
    Sysctls(settings.host, memory).restore();
    CHECK(Sysctls(settings.host).read("filter") == "1");
  }
}

TEST_CASE("a setting that cannot be set is not remembered as changed") {
  Settings settings;
  const auto memory = settings.root / "memory";
  std::filesystem::create_directories(settings.root / "net/folder");
  Sysctls sysctls(settings.host, memory);
  CHECK_FALSE(sysctls.set("net/folder", "2"));
  CHECK_FALSE(std::filesystem::exists(memory));
}

TEST_CASE("a setting that the kernel does not have is ENOENT by name") {
  Settings settings;
  Sysctls sysctls(settings.host);
  CHECK(sysctls.set("no/such", "1").error().code == ENOENT);
  CHECK(sysctls.read("no/such").error().message == "read the setting no/such: No such file or directory");
}
