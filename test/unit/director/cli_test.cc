// The programs as a user meets them: what they say and how they exit. Nothing here needs a privilege.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "net/fd.h"
#include "net/version.h"
#include "run.h"
#include "scratch.h"
#include "test/catch.h"

namespace {

using director_test::Ended;
using director_test::run;

const std::string directord = PROGRAMS "/directord";
const std::string directorctl = PROGRAMS "/directorctl";
const std::string version(net::version());

/// A cluster file, and the command that does something with it.
struct Given {
  director_test::Scratch scratch;
  std::string file = scratch.path / "cluster.yaml";

  explicit Given(std::string_view text) { std::ofstream(file) << text; }

  [[nodiscard]] Ended check() const { return run(directord + " --node lb1 --check --config " + file); }

  [[nodiscard]] std::string at(std::string_view place_and_message) const {
    return file + std::string(place_and_message);
  }
};

constexpr std::string_view good =
    "cluster: shop\n"
    "nodes:\n"
    "  lb1: { address: 127.0.0.1, priority: 150 }\n"
    "services:\n"
    "  web:\n"
    "    listen: 127.0.0.5:80\n"
    "    scheduler: wrr\n"
    "    check: { tcp: {}, interval: 2s, timeout: 1s }\n"
    "    servers:\n"
    "      web1: { address: 127.0.0.1:81 }\n";

std::string with(std::string_view from, std::string_view to) {
  std::string text(good);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a good file is said to be good") {
  const Given given(good);
  const auto ended = given.check();
  CHECK(ended.status == 0);
  CHECK(contains(ended.output, "cluster shop, services: 1, virtual routers: 0; the file is valid\n"));
}

TEST_CASE("mistakes in the file are named with their place, all at once, and end with status 2") {
  const Given given(with("scheduler: wrr", "schedular: wrr\n    forward: [nat]"));
  const auto ended = given.check();
  INFO(ended.output);
  CHECK(ended.status == 2);
  CHECK(contains(ended.output, given.at(":7:5: error: unknown key 'schedular'")));
  CHECK(contains(ended.output, "did you mean 'scheduler'?"));
  CHECK(contains(ended.output, given.at(":8:14: error: ")));
  CHECK(contains(ended.output, "schedular: wrr\n        ^\n"));
}

TEST_CASE("a missing brace is one error at its place") {
  const Given given(with("{ tcp: {}, interval: 2s, timeout: 1s }", "{ tcp: {}, interval: 2s, timeout: 1s"));
  const auto ended = given.check();
  INFO(ended.output);
  CHECK(ended.status == 2);
  CHECK(contains(ended.output, given.file + ":"));
  CHECK(contains(ended.output, ": error: "));
  CHECK(std::ranges::count(ended.output, '^') == 1);
}

TEST_CASE("a file that cannot be read is named with the reason") {
  const Given given("");
  auto ended = run(directord + " --check --config /nonexistent/cluster.yaml");
  CHECK(ended.status == 2);
  CHECK(ended.output == "/nonexistent/cluster.yaml: error: cannot be read: No such file or directory\n");
  ended = run(directord + " --check --config " + given.scratch.path.string());
  CHECK(ended.status == 2);
  CHECK(contains(ended.output, given.scratch.path.string() + ": error: "));
  ended = given.check();
  CHECK(ended.status == 2);
  CHECK(contains(ended.output, "error: "));
}

TEST_CASE("a node that the file does not have is refused with those that it has") {
  const Given given(good);
  const auto ended = run(directord + " --dry-run --node lb9 --config " + given.file);
  INFO(ended.output);
  CHECK(ended.status == 2);
  CHECK(contains(ended.output, "lb9"));
  CHECK(contains(ended.output, "lb1"));
}

TEST_CASE("wrong usage ends with status 2, help and version with 0") {
  CHECK(run(directord).status == 2);
  CHECK(run(directord + " --konfig x").status == 2);
  CHECK(run(directorctl).status == 2);
  CHECK(run(directorctl + " drian web/web1").status == 2);
  for (const auto& program : {directord, directorctl}) {
    CHECK(contains(run(program + " --konfig").output, "--konfig"));
  }
  CHECK(contains(run(directord).output, "--config FILE is required"));
  CHECK(contains(run(directorctl).output, "A command is required"));
  CHECK(contains(run(directorctl + " drian web/web1").output,
                 "directorctl: unknown argument 'drian'; did you mean 'drain'?"));
  CHECK(contains(run(directorctl + " drain web/web1 --raeson x").output,
                 "directorctl drain: unknown argument '--raeson'; did you mean '--reason'?"));
  CHECK(contains(run(directord + " --check /etc/x.yaml").output,
                 "unexpected argument '/etc/x.yaml'; did you mean --config /etc/x.yaml?"));
  CHECK(run(directorctl + " drain web1").status == 2);
  for (const auto& program : {directord, directorctl}) {
    const auto help = run(program + " --help");
    CHECK(help.status == 0);
    CHECK(contains(help.output, "Example: "));
    CHECK(contains(help.output, "Exit status: "));
    CHECK(run(program + " --version").output == program.substr(program.rfind('/') + 1) + " " + version + "\n");
  }
}

TEST_CASE("directorctl refuses times, weights and servers that are none") {
  CHECK(contains(run(directorctl + " drain web/web1 --within 5").output, "'5' is not a time such as 90s, 5m or 2h"));
  CHECK(run(directorctl + " drain web/web1 --within 9999999s").status == 2);
  CHECK(run(directorctl + " weight web/web1 65536").status == 2);
  CHECK(run(directorctl + " weight web/web1 -- -1").status == 2);
}

TEST_CASE("directorctl checks a file without a daemon") {
  const Given given(good);
  CHECK(run(directorctl + " check " + given.file).status == 0);
  std::ofstream(given.file) << with("scheduler", "schedular");
  const auto broken = run(directorctl + " check " + given.file);
  CHECK(broken.status == 1);
  CHECK(contains(broken.output, "cluster.yaml:7:5: error: "));
  const auto found = nlohmann::json::parse(run(directorctl + " check --json " + given.file).output);
  CHECK(found["good"] == false);
  CHECK(found["found"][0]["line"] == 7);
}

TEST_CASE("directorctl without a daemon ends with status 3 and says where it looked") {
  const auto ended = run(directorctl + " --socket /nonexistent/control.sock status");
  CHECK(ended.status == 3);
  CHECK(contains(ended.output, "connect /nonexistent/control.sock: No such file or directory"));
}

TEST_CASE("without privileges the daemon says what is missing and ends with status 1") {
  const Given given(good);
  const auto dirs = " --runtime-dir " + (given.scratch.path / "run").string() + " --state-dir " +
                    (given.scratch.path / "state").string();
  std::string command = directord + " --node lb1 --config " + given.file + dirs;
  if (geteuid() == 0) {
    std::filesystem::permissions(given.scratch.path, std::filesystem::perms::all);
    command = "setpriv --reuid=65534 --regid=65534 --clear-groups -- " + command;
  }
  const auto ended = run(command);
  INFO(ended.output);
  CHECK(ended.status == 1);
  // Which of the two it meets first depends on the machine: a kernel without ip_vs, or one that does not let it in.
  CHECK((contains(ended.output, "this kernel has no IPVS: load its module as root with `modprobe ip_vs`") ||
         contains(ended.output, "not permitted; this needs root or the capability CAP_NET_ADMIN")));
}

TEST_CASE("a host that is not set up for the file ends the daemon with status 6, and is no error of the file") {
  const Given given(std::string(good) + "director: { operators: nonesuch }\n");
  CHECK(given.check().status == 0);
  const auto ended =
      run("TMPDIR=" + given.scratch.path.string() + " " + directord + " --dry-run --node lb1 --config " + given.file);
  CHECK(ended.status == 6);
  CHECK(contains(ended.output, "director: operators: this host has no group 'nonesuch'; create it"));
}

TEST_CASE("a dry run needs no folder of the system's, and leaves nothing behind") {
  const Given given(good);
  const auto log = given.scratch.path / "log";
  const auto pid =
      std::stoi(run("{ TMPDIR=" + given.scratch.path.string() + " " + directord + " --dry-run --node lb1 --config " +
                    given.file + " >" + log.string() + " 2>&1 & echo $!; }")
                    .output);
  const auto said = [&] {
    std::ifstream in(log);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  for (int attempt = 0; attempt < 500 && !contains(said(), "ipvs: add"); ++attempt) usleep(10'000);
  INFO(said());
  CHECK(contains(said(), "query it with: directorctl --socket " + given.scratch.path.string() + "/directord-dry-run-"));
  REQUIRE(kill(pid, SIGTERM) == 0);
  const auto left = [&] {
    return std::ranges::count_if(std::filesystem::directory_iterator(given.scratch.path), [](const auto& entry) {
      return entry.path().filename().string().starts_with("directord-dry-run-");
    });
  };
  for (int attempt = 0; attempt < 500 && left() != 0; ++attempt) usleep(10'000);
  CHECK(left() == 0);
}

TEST_CASE("a dry run checks for real, answers, and stops when asked") {
  const Given given(good);
  const auto run_dir = (given.scratch.path / "run").string();
  const auto pid_file = run_dir + "/directord.pid";
  const std::string start = directord + " --dry-run --node lb1 --config " + given.file + " --runtime-dir " + run_dir +
                            " --state-dir " + run_dir + " >" + run_dir + ".log 2>&1 & echo $!";
  const auto pid = std::stoi(run("{ " + start + "; }").output);
  const auto ask = directorctl + " --socket " + run_dir + "/control.sock ";
  // curl's own retry would hide a daemon that never answers: the loop is bounded, and ends as soon as there is an
  // answer.
  Ended status;
  for (int attempt = 0; attempt < 500 && status.status != 0; ++attempt) {
    status = run(ask + "status --json");
    if (status.status != 0) usleep(10'000);
  }
  INFO(status.output);
  REQUIRE(status.status == 0);
  CHECK(nlohmann::json::parse(status.output)["cluster"] == "shop");
  CHECK(run(ask + "drain web/web1").status == 0);
  const auto refused = run(ask + "drain web/web9");
  CHECK(refused.status == 1);
  CHECK(refused.output == "directorctl: there is no server web/web9 in cluster shop\n");

  CHECK(contains(run(ask + "servers").output, "web/web1"));
  CHECK(contains(run(ask + "services").output, "of 1 up"));
  CHECK(run(ask + "weight web/web1 7 --reason disk --for 1h").status == 0);
  CHECK_THAT(run(ask + "status").output,
             Catch::ContainsSubstring("7 (operator; file 1)") && Catch::ContainsSubstring("(disk)"));
  CHECK(run(ask + "enable web/web1").status == 0);
  CHECK(contains(run(ask + "disable web/web1 --reason repair").output, "web/web1: disabled; removed from the table"));
  CHECK(contains(run(ask + "events").output, "server web/web1: disabled by the operator: repair"));
  CHECK(nlohmann::json::parse(run(ask + "events --json").output)["events"].size() >= 4);
  const auto followed = run("timeout 2 " + ask + "events --follow --json").output;
  std::istringstream lines(followed);
  std::size_t events = 0;
  for (std::string line; std::getline(lines, line); ++events)
    CHECK(nlohmann::json::parse(line)["number"] == events + 1);
  CHECK(events >= 4);
  const auto nameless = run(ask + "failover");
  CHECK(nameless.status == 2);
  CHECK(contains(nameless.output, "failover: name a virtual router\n"));
  CHECK(contains(run(ask + "drain web/web1").output,
                 "\nwarning: web has no server left for new connections; new connections are refused; this "
                 "is a dry run: nothing is saved\n"));
  std::ofstream(given.file) << with("127.0.0.1:81 }", "127.0.0.1:81, weight: 5 }");
  CHECK(contains(run(ask + "plan").output, "~ server web/web1: weight 1 -> 5\n"));
  std::ofstream(given.file) << with("web1: { address: 127.0.0.1:81 }", "web2: { address: 127.0.0.1:82 }");
  const auto plan = run(ask + "plan");
  CHECK(plan.status == 0);
  CHECK(contains(plan.output, "+ server web/web2\n- server web/web1 (0 active and 0 inactive connections)\n"));
  CHECK(run(ask + "reload").status == 1);
  CHECK(contains(run(ask + "reload --yes").output, "1 server added, 1 server removed"));
  std::ofstream(given.file) << with("services:", "servcies:");
  const auto broken = run(ask + "reload");
  CHECK(broken.status == 1);
  CHECK(contains(broken.output, "did you mean 'services'?"));
  CHECK(contains(broken.output, "directorctl: " + given.file + " has errors, nothing was changed\n"));
  CHECK(nlohmann::json::parse(run(ask + "status --json").output)["services"].size() == 1);
  REQUIRE(kill(pid, SIGHUP) == 0);
  const auto log = [&] {
    std::ifstream in(run_dir + ".log");
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  for (int attempt = 0; attempt < 500 && !contains(log(), "by SIGHUP"); ++attempt) usleep(10'000);
  CHECK_THAT(log(), Catch::ContainsSubstring(given.file + ":4:1: ") &&
                        Catch::ContainsSubstring("Z stays in force (reload requested via SIGHUP)"));
  CHECK(contains(run(ask + "status").output, "problem: cluster file refused: " + given.file));

  const auto mode = [&] { return std::filesystem::status(run_dir + "/control.sock").permissions(); };
  CHECK(mode() == std::filesystem::perms(0600));
  std::ofstream(given.file) << std::string(good) + "director: { operators: users, readers: users }\n";
  CHECK(run(ask + "reload --yes").status == 0);
  CHECK(mode() == std::filesystem::perms(0660));
  CHECK(run(directorctl + " --socket " + run_dir + "/status.sock status").status == 0);
  std::ofstream(given.file) << std::string(good) + "director: { operators: nonesuch }\n";
  for (const char* command : {"reload", "replace"}) {
    const auto impossible = run(ask + command);
    CHECK(impossible.status == 1);
    CHECK(contains(impossible.output, "director: operators: this host has no group 'nonesuch'"));
  }
  CHECK(mode() == std::filesystem::perms(0660));
  std::ofstream(given.file) << good;
  CHECK(run(ask + "reload").status == 0);
  CHECK(mode() == std::filesystem::perms(0600));
  CHECK_FALSE(std::filesystem::exists(run_dir + "/status.sock"));

  CHECK(run(ask + "replace").output == "directord " + version + " has taken over\n");
  CHECK(kill(pid, 0) == 0);  // in the same process

  const auto second = run(directord + " --dry-run --node lb1 --config " + given.file + " --runtime-dir " + run_dir +
                          " --state-dir " + run_dir);
  CHECK(second.status == 1);
  CHECK(contains(second.output, "another directord (pid " + std::to_string(pid) + ") uses " + run_dir));

  REQUIRE(kill(pid, SIGTERM) == 0);
  for (int attempt = 0; attempt < 500 && run(ask + "status").status == 0; ++attempt) usleep(10'000);
  CHECK(run(ask + "status").status == 3);
}

TEST_CASE("the service manager hears that directord is ready, that it lives, and that it stops") {
  const Given given(good);
  const auto path = (given.scratch.path / "notify").string();
  const net::Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  REQUIRE(setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  const auto hears = [&](std::string_view part) {
    char buffer[512];
    for (int messages = 0; messages < 100; ++messages) {
      const auto got = recv(socket.get(), buffer, sizeof buffer, 0);
      if (got <= 0) return false;
      if (std::string_view(buffer, static_cast<std::size_t>(got)).find(part) != std::string_view::npos) return true;
    }
    return false;
  };
  const auto pid = std::stoi(run("{ NOTIFY_SOCKET=" + path + " WATCHDOG_USEC=100000 " + directord +
                                 " --dry-run --node lb1 --config " + given.file + " >/dev/null 2>&1 & echo $!; }")
                                 .output);
  CHECK(hears("READY=1\nSTATUS=cluster shop, node lb1"));
  CHECK(hears("WATCHDOG=1"));
  CHECK(hears("WATCHDOG=1"));
  REQUIRE(kill(pid, SIGTERM) == 0);
  CHECK(hears("STOPPING=1"));
}

TEST_CASE("another tool's file becomes a cluster file that is good, and what is none is refused") {
  const Given rules(
      "ipvsadm -A -t 192.168.56.10:80 -s wrr\n"
      "ipvsadm -a -t 192.168.56.10:80 -r 192.168.200.11:80 -m -w 3\n"
      "ipvsadm -a -t 192.168.56.10:80 -r 192.168.200.12:80 -m -w 1\n");
  const std::string made = rules.scratch.path / "made.yaml";
  const auto imported = run(directorctl + " import ipvsadm " + rules.file + " >" + made);
  CHECK(imported.status == 0);
  CHECK(imported.output.empty());
  CHECK(run(directorctl + " check " + made).status == 0);

  const Given broken("vrrp_instance A {\n");
  const auto refused = run(directorctl + " import keepalived " + broken.file);
  CHECK(refused.status == 1);
  CHECK(refused.output == "directorctl: " + broken.file + ": line 1: this brace is not closed\n");
  CHECK(run(directorctl + " import apache " + broken.file).status == 2);
  CHECK(run(directorctl + " import ldirectord /nonexistent").output ==
        "directorctl: read /nonexistent: No such file or directory\n");
}

TEST_CASE("without a daemon a plan shows what its start would change, and says with what that was compared") {
  const Given given(good);
  const std::string ask = directorctl + " --socket " + (given.scratch.path / "nobody.sock").string() + " plan ";
  const auto planned = run(ask + given.file);
  INFO(planned.output);
  CHECK(planned.status == 0);
  CHECK(contains(planned.output, "directorctl: directord is not running here; compared with "));
  CHECK(contains(planned.output, "+ service web\n"));
  CHECK(nlohmann::json::parse(run(ask + given.file + " --json").output)["summary"].is_string());
  const Given broken("clustr: shop\n");
  const auto refused = run(ask + broken.file);
  CHECK(refused.status == 1);
  CHECK(contains(refused.output, " has errors\n"));
  CHECK(run(ask).status == 3);
}

TEST_CASE("the doctor says that no directord runs, and refuses a file that is not good") {
  const Given given(good);
  const std::string ask = directorctl + " --socket " + (given.scratch.path / "nobody.sock").string() + " doctor ";
  const auto said = run(ask + given.file + " --node lb1");
  INFO(said.output);
  CHECK(said.status == 1);
  CHECK(contains(said.output, "error: directord: "));
  CHECK(nlohmann::json::parse(run(ask + given.file + " --node lb1 --json").output)["errors"].get<int>() >= 1);
  CHECK(run(ask + given.file + " --node lb9").status == 2);
  CHECK(run(ask + given.file + ".missing").status == 2);
}

TEST_CASE("the polkit rule is made from the cluster file, where that has resources") {
  const Given given(
      "cluster: shop\nnodes: { lb1: { address: 192.168.56.11 } }\n"
      "vrrp: { front: { router_id: 51, interface: eth0, addresses: [192.168.56.10/24], resources: [a.service] } }\n");
  const auto rule = run(directorctl + " polkit - --config " + given.file);
  CHECK(rule.status == 0);
  CHECK(contains(rule.output, "    \"a.service\"\n"));
  const Given without(good);
  CHECK(run(directorctl + " polkit - --config " + without.file).status == 1);
  CHECK(run(directorctl + " polkit - --config " + without.file + ".missing").status == 2);
}
