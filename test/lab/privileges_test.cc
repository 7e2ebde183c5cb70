// What a running director may do, what its scripts may, and who may ask and steer it.

#include <grp.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "test/catch.h"
#include "test/lab/pair.h"
#include "test/lab/process.h"

using namespace std::chrono_literals;

namespace {

constexpr auto operators = "operator", readers = "users";  // groups that every Debian has
const std::filesystem::path runtime = "/run/lab/lb1";
const std::filesystem::path shared = "/run/lab/shared";  ///< where anybody may write

constexpr unsigned long long bit(int capability) { return 1ULL << capability; }
constexpr auto network = bit(12) | bit(13);         // CAP_NET_ADMIN, CAP_NET_RAW
constexpr auto scripts = bit(5) | bit(6) | bit(7);  // CAP_KILL, CAP_SETGID, CAP_SETUID

/// The masks of a process, "CapEff" and so on, as /proc/PID/status has them.
std::map<std::string, unsigned long long> capabilities(const std::filesystem::path& status) {
  std::map<std::string, unsigned long long> masks;
  std::ifstream file(status);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Cap")) masks[line.substr(0, 6)] = std::stoull(line.substr(7), nullptr, 16);
  }
  return masks;
}

/// A director whose sockets are for two groups.
struct Site {
  lab::Pair pair{{.forward = lab::Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()}};

  Site() {
    for (const auto& folder : {runtime, shared}) std::filesystem::remove_all(folder);  // an earlier test's
    std::filesystem::create_directories(shared);
    std::filesystem::permissions(shared, std::filesystem::perms(0777));
    // Where a user without privileges can reach it.
    std::filesystem::copy_file(pair.options.programs / "directorctl", shared / "directorctl");
    std::filesystem::permissions(shared / "directorctl", std::filesystem::perms(0755));
  }

  void start(const std::string& cluster_file) {
    pair.write(cluster_file);
    pair.start(pair.lb1);
    INFO(pair.evidence());
    REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1); }, 20s));
  }

  [[nodiscard]] std::string with_groups() const {
    return pair.cluster_file() + "director: { operators: " + operators + ", readers: " + readers + " }\n";
  }

  [[nodiscard]] std::filesystem::path status_file() const {
    std::ifstream file(runtime / "directord.pid");
    std::string pid;
    std::getline(file, pid);
    return std::filesystem::path("/proc") / pid / "status";
  }

  /// `directorctl` as nobody, who is in one more group.
  lab::Output as(const std::string& group, const std::string& socket, std::vector<std::string> words) {
    std::vector<std::string> argv{"setpriv",        "--reuid=65534",        "--regid=65534", "--groups=" + group,
                                  "--no-new-privs", shared / "directorctl", "--socket",      runtime / socket};
    argv.insert(argv.end(), words.begin(), words.end());
    return lab::run(*pair.lb1.host, std::move(argv));
  }
};

struct Owner {
  std::string group;
  unsigned mode;
  bool operator==(const Owner&) const = default;
};

Owner owner_of(const std::filesystem::path& path) {
  struct stat about{};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK(about.st_uid == 0);
  const auto* group = ::getgrgid(about.st_gid);
  return {group == nullptr ? "" : group->gr_name, about.st_mode & 07777U};
}

void check_capabilities(const Site& site) {
  auto masks = capabilities(site.status_file());
  CHECK(masks.size() == 5);
  CHECK(masks["CapEff"] == network);
  CHECK(masks["CapPrm"] == (network | scripts));
  CHECK(masks["CapBnd"] == (network | scripts));
  CHECK(masks["CapInh"] == 0);
  CHECK(masks["CapAmb"] == 0);
}

}  // namespace

TEST_CASE("a director that runs has two capabilities in effect, and no way to more than scripts need", "[privileges]") {
  Site site;
  site.start(site.pair.cluster_file());
  check_capabilities(site);
  CHECK(owner_of(runtime / "control.sock") == Owner{"root", 0600});
  CHECK_FALSE(std::filesystem::exists(runtime / "status.sock"));
  CHECK(site.as(operators, "control.sock", {"status"}).status == 3);
}

TEST_CASE("readers can ask, operators can order, and nobody else can do either", "[privileges]") {
  Site site;
  site.start(site.with_groups());
  CHECK(owner_of(runtime / "control.sock") == Owner{operators, 0660});
  CHECK(owner_of(runtime / "status.sock") == Owner{readers, 0660});

  CHECK(site.as(readers, "status.sock", {"status"}).status == 0);
  for (const std::vector<std::string>& order : {std::vector<std::string>{"drain", "web/web2"},
                                                {"weight", "web/web2", "5"},
                                                {"reload"},
                                                {"failover", "front"},
                                                {"replace"}}) {
    const auto refused = site.as(readers, "status.sock", order);
    INFO(order.front() << ": " << refused.text);
    CHECK(refused.status == 1);
  }
  CHECK(site.as(readers, "status.sock", {"drain", "web/web2"}).text.contains("this socket is read-only"));
  CHECK(site.as(readers, "control.sock", {"status"}).status == 3);
  CHECK_FALSE(site.pair.ctl(site.pair.lb1, {"status"}).text.contains("drained"));

  CHECK(site.as(operators, "control.sock", {"drain", "web/web2"}).status == 0);
  CHECK(site.pair.ctl(site.pair.lb1, {"status"}).text.contains("drained"));
  CHECK(site.as(operators, "status.sock", {"status"}).status == 3);

  CHECK(site.as("nogroup", "control.sock", {"status"}).status == 3);
  CHECK(site.as("nogroup", "status.sock", {"status"}).status == 3);
}

TEST_CASE("a director that is replaced keeps its groups, and what the new one could not do is said before",
          "[privileges]") {
  Site site;
  site.start(site.with_groups());
  const auto pid = site.status_file();
  const auto serves_both = [&] {
    return site.as(operators, "control.sock", {"status"}).status == 0 &&
           site.as(readers, "status.sock", {"status"}).status == 0;
  };
  for (int replacement = 0; replacement < 2; ++replacement) {
    const auto replaced = site.as(operators, "control.sock", {"replace"});
    INFO(replaced.text << site.pair.evidence());
    REQUIRE(replaced.status == 0);
    REQUIRE(lab::wait_until(serves_both, 10s));
    CHECK(site.status_file() == pid);
    CHECK(site.as("nogroup", "control.sock", {"status"}).status == 3);
    CHECK(site.as("nogroup", "status.sock", {"status"}).status == 3);
    CHECK(site.as(readers, "control.sock", {"status"}).status == 3);
    check_capabilities(site);
  }

  site.pair.write(site.pair.cluster_file() + "director: { operators: nonesuch }\n");
  const auto refused = site.as(operators, "control.sock", {"replace"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.text, Catch::ContainsSubstring("operators: this host has no group 'nonesuch'"));
  CHECK(serves_both());
}

TEST_CASE("a reload gives the sockets to other groups, or changes nothing", "[privileges]") {
  Site site;
  site.start(site.with_groups());
  site.pair.write(site.pair.cluster_file() + "director: { operators: " + readers + " }\n");
  const auto reloaded = site.as(operators, "control.sock", {"reload"});
  INFO(reloaded.text << site.pair.evidence());
  CHECK(reloaded.status == 0);
  CHECK(site.as(readers, "control.sock", {"status"}).status == 0);
  CHECK(site.as(operators, "control.sock", {"status"}).status == 3);
  CHECK_FALSE(std::filesystem::exists(runtime / "status.sock"));

  site.pair.write(site.with_groups());
  CHECK(site.as(readers, "control.sock", {"reload"}).status == 0);
  CHECK(site.as(operators, "control.sock", {"status"}).status == 0);
  CHECK(site.as(readers, "control.sock", {"status"}).status == 3);
  CHECK(site.as(readers, "status.sock", {"status"}).status == 0);

  site.pair.write(site.pair.cluster_file() + "director: { operators: " + readers + ", readers: nonesuch }\n");
  const auto refused = site.as(operators, "control.sock", {"reload"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.text, Catch::ContainsSubstring("readers: this host has no group 'nonesuch'"));
  CHECK(site.as(operators, "control.sock", {"status"}).status == 0);
  CHECK(site.as(readers, "status.sock", {"status"}).status == 0);
  CHECK(site.as(readers, "control.sock", {"status"}).status == 3);

  site.pair.write(site.pair.cluster_file());
  CHECK(site.as(operators, "control.sock", {"reload"}).status == 0);
  CHECK(owner_of(runtime / "control.sock").mode == 0600);
  CHECK(site.as(operators, "control.sock", {"status"}).status == 3);
}

TEST_CASE("scripts run as nobody, with nothing, also where a reload brings the first", "[privileges]") {
  Site site;
  site.start(site.pair.cluster_file());
  const auto script = shared / "check";
  const auto said = shared / "said";
  // Each server's script has a file of its own: the second must not empty what the first has moved into place.
  std::ofstream(script) << "#!/bin/sh\nmine=" << said.string()
                        << ".$$\ngrep -E '^(Uid|Gid|Groups|NoNewPrivs|Cap)' /proc/self/status >$mine\nmv $mine "
                        << said.string() << "\n";
  std::filesystem::permissions(script, std::filesystem::perms(0755));
  auto file = site.pair.cluster_file();
  const std::string from = "      http: { path: /health, expect: { status: 200 } }\n";
  const auto at = file.find(from);
  REQUIRE(at != std::string::npos);
  site.pair.write(file.replace(at, from.size(), "      exec: { command: [" + script.string() + "] }\n"));
  const auto reloaded = site.pair.ctl(site.pair.lb1, {"reload"});
  INFO(reloaded.text);
  REQUIRE(reloaded.status == 0);
  REQUIRE(lab::wait_until([&] { return std::filesystem::exists(said); }, 10s));
  std::ifstream answer(said);
  const std::string text(std::istreambuf_iterator<char>(answer), {});
  INFO(text);
  CHECK(text.contains("Uid:\t65534\t65534\t65534\t65534\n"));
  CHECK(text.contains("Gid:\t65534\t65534\t65534\t65534\n"));
  CHECK(text.contains("Groups:\t \n"));
  CHECK(text.contains("NoNewPrivs:\t1\n"));
  for (const auto& [set, mask] : capabilities(said)) {
    INFO(set);
    if (set != "CapBnd") CHECK(mask == 0);
  }
  check_capabilities(site);
}
