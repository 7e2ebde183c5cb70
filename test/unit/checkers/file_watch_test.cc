#include "checkers/file_watch.h"

#include <filesystem>
#include <fstream>

#include "shell.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

struct Folder {
  std::filesystem::path path;

  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "directord-test-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }

  [[nodiscard]] std::string file(const std::string& name) const { return path / name; }
};

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text << '\n'; }

/// Looked at so seldom that only a change can be the reason for a second look within the test.
Key seldom(const std::string& path) {
  return {.target = {}, .spec = {.kind = File{.path = path}, .interval = 1h, .timeout = 1s, .thresholds = {1, 1}}};
}

/// Writes to the file until that is told: from then on it is watched.
void until_told(net::Loop& loop, const std::string& file, auto told) {
  const auto limit = net::monotonic_now() + 20s;
  do {
    write(file, "x");
    REQUIRE(loop.turn(1ms));
    REQUIRE(net::monotonic_now() < limit);
  } while (!told());
}

}  // namespace

TEST_CASE("a file that changes is read at once, not at the next interval") {
  const Folder folder;
  const auto path = folder.file("web1");
  write(path, "50%");
  Shell shell;
  const auto key = seldom(path);
  shell.checks.set({{key}});
  const auto weight = [&] {
    const auto advice = shell.checks.find(key)->advice;
    return advice.weight ? int{advice.weight->value} : -1;
  };
  shell.run_until([&] { return weight() == 50; });
  write(path, "75%");
  shell.run_until([&] { return weight() == 75; });
  write(folder.file("new"), "25%");
  std::filesystem::rename(folder.file("new"), path);
  shell.run_until([&] { return weight() == 25; });
  std::filesystem::remove(path);
  const auto reads = shell.seen.size();
  shell.run_until([&] { return shell.seen.size() > reads; });
  CHECK(shell.checks.find(key)->last.ends_with("no such file"));
  write(path, "down # fire");
  shell.run_until([&] { return shell.checks.find(key)->state == HealthState::down; });
}

TEST_CASE("files are told apart, and what is forgotten is not told") {
  const Folder folder;
  auto loop = net::Loop::create().value();
  std::vector<std::string> changed;
  FileWatch watch(loop, [&](const std::string& path) { changed.push_back(std::filesystem::path(path).filename()); });
  const auto turn = [&] {
    REQUIRE(loop.turn(0ms));
    return std::exchange(changed, {});
  };
  watch.watch(folder.file("a"));
  until_told(loop, folder.file("a"), [&] { return !turn().empty(); });
  watch.watch(folder.file("b"));
  watch.watch(folder.file("a"));
  write(folder.file("b"), "1");
  write(folder.file("c"), "1");
  write(folder.file("b"), "2");
  CHECK(turn() == std::vector<std::string>{"b"});
  watch.forget(folder.file("b"));
  write(folder.file("b"), "3");
  write(folder.file("a"), "3");
  CHECK(turn() == std::vector<std::string>{"a"});
  watch.forget(folder.file("a"));
  watch.forget(folder.file("a"));
  write(folder.file("a"), "4");
  CHECK(turn().empty());
}

TEST_CASE("a folder that comes later, or anew, is watched from the next look on") {
  const Folder folder;
  const auto path = folder.file("later/web1");
  auto loop = net::Loop::create().value();
  int changes = 0;
  FileWatch watch(loop, [&](const std::string&) { ++changes; });
  const auto changed = [&] {
    REQUIRE(loop.turn(0ms));
    return std::exchange(changes, 0);
  };
  for (int life = 0; life < 2; ++life) {
    watch.watch(path);
    CHECK(changed() == 0);
    std::filesystem::create_directory(folder.file("later"));
    until_told(loop, path, [&] {
      watch.watch(path);
      return changed() > 0;
    });
    write(path, "up");
    CHECK(changed() == 1);
    std::filesystem::remove_all(folder.file("later"));
    CHECK(changed() == 1);
  }
}
