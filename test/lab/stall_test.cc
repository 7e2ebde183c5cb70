// What a director writes to does not take it: the state's file system is frozen, as backups of virtual machines do, or
// nobody reads its log. The node keeps its role, says so, and can be ended.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "net/fd.h"
#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/pair.h"
#include "test/lab/pulse.h"

using namespace std::chrono_literals;
using lab::Pair;

namespace {

/// A file system of lb1's state alone, in a file, so that it can be frozen.
class StateDisk {
 public:
  explicit StateDisk(Pair& pair) : pair_(pair), folder_(pair.runtime_folder(pair.lb1) / "state") {
    std::filesystem::create_directories(folder_);
    run("rm -f /tmp/state.image && truncate -s 16M /tmp/state.image && mkfs.ext4 -q -F /tmp/state.image");
    run(fmt::format("modprobe loop && mount -o loop /tmp/state.image {}", folder_.string()));
  }
  ~StateDisk() {
    thaw();
    pair_.kill(pair_.lb1);
    lab::run(*pair_.lb1.host, {"umount", "--lazy", folder_});
  }
  StateDisk(const StateDisk&) = delete;
  StateDisk& operator=(const StateDisk&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  void freeze() const { run("fsfreeze -f " + folder_.string()); }
  void thaw() const { lab::run(*pair_.lb1.host, {"fsfreeze", "-u", folder_}); }

 private:
  void run(const std::string& command) const {
    const auto done = lab::run(*pair_.lb1.host, {"sh", "-c", command});
    INFO(done.text);
    REQUIRE(done.status == 0);
  }

  Pair& pair_;
  std::filesystem::path folder_;
};

struct World {
  Pair pair{{.forward = Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()}};
  lab::Pulse pulse;
  std::optional<lab::Prober> prober;

  void start() {
    for (auto& director : pair.directors) pair.start(director);
    REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1); }, 15s));
    prober.emplace(*pair.client, pair.service);
    REQUIRE(prober->settle(500ms, 10s));
  }

  /// Whether lb1 alone has the addresses all the time, and requests are answered.
  void expect_no_change(net::Duration during) {
    const auto begin = net::monotonic_now();
    while (net::monotonic_now() < begin + during) {
      REQUIRE(pair.holds_both(pair.lb1));
      REQUIRE_FALSE(pair.holds_any(pair.lb2));
      lab::sleep_for(20ms);
    }
    lab::sleep_for(lab::Prober::limit);
    const auto seen = prober->outage(begin, begin + during);
    CHECK(seen.longest <= 50ms + pulse.stood_still(begin, seen.over));
  }

  /// The reason of lb1's problem with `subject`, and that it says since when; "" if there is none.
  std::string problem(const std::string& subject) {
    for (const auto& condition : pair.status(pair.lb1).value("conditions", nlohmann::json::array())) {
      if (condition.value("subject", "") != subject) continue;
      CHECK_FALSE(condition.value("since", "").empty());
      return condition.value("reason", "?");
    }
    return "";
  }

  [[nodiscard]] bool tells(const char* kind) {
    const auto events = nlohmann::json::parse(pair.ctl(pair.lb1, {"events", "--json"}).text, nullptr, false);
    return std::ranges::any_of(events.value("events", nlohmann::json::array()),
                               [&](const auto& event) { return event["kind"] == kind; });
  }

  /// It ends, and its addresses go to lb2.
  void expect_end() {
    const auto began = net::monotonic_now();
    pair.stop(pair.lb1);
    CHECK(lab::wait_until([&] { return pair.holds_both(pair.lb2) && !pair.holds_any(pair.lb1); }, 1s));
    CHECK(pair.lb1.process->wait(5s) == 0);
    CHECK(net::monotonic_now() - began < 4s + pulse.stood_still(began, net::monotonic_now()));
  }
};

}  // namespace

TEST_CASE_METHOD(World, "a frozen file system under the state takes neither the role nor the end from a node",
                 "[stall]") {
  StateDisk disk(pair);
  start();
  CHECK(pair.ctl(pair.lb1, {"weight", "web/web1", "5"}).status == 0);
  CHECK(problem("state file").empty());

  disk.freeze();
  std::ignore = pair.ctl(pair.lb1, {"weight", "web/web1", "7"});
  expect_no_change(3s);
  CHECK_THAT(problem("state file"), Catch::ContainsSubstring("the disk does not answer"));
  disk.thaw();
  CHECK(lab::wait_until([&] { return problem("state file").empty(); }, 5s));
  CHECK(tells("state_saved"));

  disk.freeze();
  std::ignore = pair.ctl(pair.lb1, {"weight", "web/web1", "9"});
  expect_end();
  // The next process reads what is there, and is not kept from the place of the one before.
  pair.start(pair.lb1);
  CHECK(lab::wait_until([&] { return pair.holds_both(pair.lb1) && !pair.holds_any(pair.lb2); }, 15s));
  std::ignore = pair.ctl(pair.lb1, {"weight", "web/web1", "3"});
  disk.thaw();
  CHECK(lab::wait_until([&] { return pair.ctl(pair.lb1, {"weight", "web/web1", "4"}).status == 0; }, 5s));
  CHECK(lab::wait_until([&] { return problem("state file").empty(); }, 5s));
  pair.kill(pair.lb1);
  pair.start(pair.lb1);
  CHECK(lab::wait_until([&] { return pair.ctl(pair.lb1, {"status"}).text.contains("weight 4"); }, 15s));
}

TEST_CASE_METHOD(World, "a log on a frozen file system takes neither the role nor the end from a node", "[stall]") {
  const StateDisk disk(pair);
  std::filesystem::create_symlink(disk.folder() / "lb1.log", pair.folder / "lb1.log");
  start();
  CHECK(problem("log").empty());
  disk.freeze();
  std::ignore = pair.ctl(pair.lb1, {"weight", "web/web1", "7"});
  expect_no_change(3s);
  CHECK_THAT(problem("log"), Catch::ContainsSubstring("the disk does not answer"));
  expect_end();
  std::filesystem::remove(pair.folder / "lb1.log");
}

TEST_CASE_METHOD(World, "a log that nobody reads takes neither the role nor the end from a node", "[stall]") {
  const auto log = pair.folder / "lb1.log";
  REQUIRE(mkfifo(log.c_str(), 0600) == 0);
  const net::Fd held(open(log.c_str(), O_RDWR | O_CLOEXEC));  // and read by nobody
  start();
  CHECK(problem("log").empty());

  const net::Fd filler(open(log.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  while (write(filler.get(), ".", 1) == 1) continue;
  CHECK(pair.ctl(pair.lb1, {"weight", "web/web1", "5"}).status == 0);
  expect_no_change(3s);
  CHECK_THAT(problem("log"), Catch::ContainsSubstring("nobody reads it"));

  const net::Fd reader(open(log.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::string said;
  char buffer[65536];
  const auto read_all = [&] {
    for (ssize_t got; (got = read(reader.get(), buffer, sizeof buffer)) > 0;) said.append(buffer, std::size_t(got));
    return said.contains("the log cannot be written");
  };
  CHECK(lab::wait_until(read_all, 3s));
  CHECK(lab::wait_until([&] { return problem("log").empty(); }, 3s));
  CHECK(tells("log_written"));

  while (write(filler.get(), ".", 1) == 1) continue;
  CHECK(pair.ctl(pair.lb1, {"weight", "web/web1", "6"}).status == 0);
  expect_end();
  std::filesystem::remove(log);
}
