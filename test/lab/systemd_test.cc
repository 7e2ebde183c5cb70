// The unit that the package brings, under systemd itself: what it promises at the start, for a reload, a crash, a hang,
// another program and a stop.

#include "test/lab/systemd.h"
#include "test/catch.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/process.h"

using namespace std::chrono_literals;
using lab::write;

namespace {

constexpr auto cluster_path = "/etc/directord/cluster.yaml";
constexpr auto cluster_file =
    "cluster: shop\n"
    "services:\n"
    "  web: { listen: \"127.0.0.1:8080\", servers: { web1: { address: 127.0.0.2 } } }\n";

/// The cluster file with more at its end.
std::string with(const std::string& more) { return cluster_file + more; }

}  // namespace

TEST_CASE("the packaged unit: notify, reload, restart, watchdog, replacement, stop", "[systemd]") {
  lab::Topology topology;
  const lab::Host& host = topology.add_host("lb1");
  const lab::Systemd systemd(host, cluster_file);
  const auto served = [&] { return lab::parse_ipvs_table(host.proc_net("ip_vs")).size(); };

  CHECK(systemd.property("StatusText").starts_with("cluster shop, node "));
  CHECK(served() == 1);
  const auto first = systemd.property("MainPID");
  const auto status = systemd.run({"cat", "/proc/" + first + "/status"}).text;
  for (const char* line : {"CapEff:\t0000000000003000\n", "CapBnd:\t0000000000003000\n", "NoNewPrivs:\t1\n"}) {
    CHECK_THAT(status, Catch::ContainsSubstring(line));  // CAP_NET_ADMIN and CAP_NET_RAW
  }
  CHECK_THAT(status, !Catch::ContainsSubstring("Uid:\t0"));

  SECTION("a reload waits for the file to be in force, or says what is wrong with it") {
    write(cluster_path, std::string(cluster_file) +
                            "  mail: { listen: \"127.0.0.1:25\", servers: { mail1: { address: 127.0.0.3 } } }\n");
    CHECK(systemd.systemctl("reload").status == 0);
    CHECK(served() == 2);
    write(cluster_path, "cluster: [\n");
    CHECK(systemd.systemctl("reload").status != 0);
    CHECK(served() == 2);
    CHECK(systemd.property("MainPID") == first);
    CHECK_THAT(systemd.journal(), Catch::ContainsSubstring("cluster.yaml:1:10: error: "));
  }

  SECTION("the journal knows what hurts from what does not") {
    write(cluster_path,
          std::string(cluster_file) +
              "  mail:\n    listen: \"127.0.0.1:25\"\n    check: { tcp: {}, interval: 200ms, timeout: 100ms }\n"
              "    servers: { mail1: { address: 127.0.0.3 } }\n");
    CHECK(systemd.systemctl("reload").status == 0);
    const auto warnings = [&] { return systemd.journal({"--priority", "warning"}); };
    CHECK(lab::wait_until([&] { return warnings().contains("server mail/mail1: unknown -> down"); }, 5s));
    CHECK_THAT(systemd.journal(), Catch::ContainsSubstring("cluster file reloaded: "));
    CHECK_THAT(warnings(), !Catch::ContainsSubstring("cluster file reloaded: "));
    CHECK_THAT(systemd.journal(), !Catch::ContainsSubstring("<4>"));
  }

  SECTION(
      "operators and readers, of groups that the unit's user is not in, from a reload and a replacement to a restart") {
    write(cluster_path, with("director: { operators: operator, readers: users }\n"));
    const auto reloaded = systemd.systemctl("reload");
    INFO(reloaded.text << systemd.journal());
    REQUIRE(reloaded.status == 0);
    const auto check_access = [&] {
      CHECK(lab::wait_until([&] { return systemd.ctl_as("operator", "control.sock", "status") == 0; }, 10s));
      CHECK(systemd.ctl_as("users", "status.sock", "status") == 0);
      CHECK(systemd.ctl_as("users", "control.sock", "status") == 3);
      CHECK(systemd.ctl_as("operator", "status.sock", "status") == 3);
      CHECK(systemd.ctl_as("nogroup", "control.sock", "status") == 3);
    };
    check_access();
    REQUIRE(systemd.ctl_as("operator", "control.sock", "replace") == 0);
    check_access();
    CHECK(systemd.property("MainPID") == first);
    CHECK(systemd.property("NRestarts") == "0");
    REQUIRE(systemd.systemctl("restart").status == 0);
    check_access();
  }

  SECTION("what can never start is told before a replacement, and is not restarted for ever") {
    const auto ends_with = [&](const std::string& expected) {
      CHECK(systemd.systemctl("restart").status != 0);
      const auto ended = [&] { return systemd.property("ActiveState") == "failed"; };
      const bool stays = lab::wait_until(ended, 10s) && !lab::wait_until([&] { return !ended(); }, 1s);
      INFO(systemd.journal());
      CHECK(stays);
      CHECK(systemd.property("ExecMainStatus") == expected);
      CHECK(systemd.property("NRestarts") == "0");
    };
    write(cluster_path, with("director: { operators: nonesuch }\n"));
    const auto refused = systemd.run({"directorctl", "replace"});
    CHECK(refused.status == 1);
    CHECK_THAT(refused.text, Catch::ContainsSubstring("director: operators: this host has no group 'nonesuch'"));
    CHECK(systemd.systemctl("reload").status != 0);
    CHECK(systemd.property("MainPID") == first);
    ends_with("6");
    write(cluster_path, "cluster: [\n");
    ends_with("2");
    write(cluster_path, cluster_file);
    CHECK(systemd.systemctl("start").status == 0);
    CHECK(systemd.active());
  }

  SECTION("inside the unit's limits: a kernel setting is set and restored, a program checks, a router is master") {
    const std::string setting = "/proc/sys/net/ipv4/vs/expire_quiescent_template";
    const auto value = [&] { return systemd.run({"cat", setting}).text; };
    REQUIRE(value() == "0\n");
    const std::filesystem::path script = "/usr/local/bin/lab-check";
    write(script,
          "#!/bin/sh\nwhile read -r id parent device root at options rest; do\n"
          "  case $at in /proc/sys | /proc/sys/net) seen=\"$seen $at ${options%%,*}\" ;; esac\n"
          "done </proc/self/mountinfo\n[ ! -d /proc/1 ] || seen=\"$seen, others\"\necho limits:$seen\n");
    std::filesystem::permissions(script, std::filesystem::perms(0755));
    const auto status_text = systemd.property("StatusText");
    const auto node = status_text.substr(status_text.rfind(' ') + 1);
    write(cluster_path,
          with("  mail:\n    listen: \"127.0.0.9:25\"\n    persistence: 1m\n"
               "    check: { exec: { command: [/usr/local/bin/lab-check] }, interval: 500ms, timeout: 400ms }\n"
               "    servers: { mail1: { address: 127.0.0.3 } }\n"
               "nodes: { " +
               node +
               ": { address: 127.0.0.1 } }\n"
               "vrrp: { front: { router_id: 51, interface: lo, addresses: [127.0.0.9/32], advertise: 100ms } }\n"));
    const auto reloaded = systemd.systemctl("reload");
    INFO(reloaded.text << systemd.journal());
    REQUIRE(reloaded.status == 0);
    CHECK(value() == "1\n");
    const auto servers = [&] { return systemd.run({"directorctl", "servers"}).text; };
    CHECK(lab::wait_until([&] { return servers().contains("limits: /proc/sys ro /proc/sys/net rw\""); }, 10s));
    INFO(servers());
    CHECK(lab::wait_until([&] { return systemd.run({"ip", "address"}).text.contains("inet 127.0.0.9/32"); }, 10s));
    INFO(systemd.run({"directorctl", "vrrp"}).text);
    CHECK(systemd.systemctl("stop").status == 0);
    CHECK(value() == "0\n");
  }

  SECTION("a life that is killed is followed by another, and so is one that hangs") {
    systemd.run({"kill", "-KILL", first});
    REQUIRE(lab::wait_until([&] { return systemd.lives_again(first); }, 10s));
    const auto second = systemd.property("MainPID");
    CHECK(served() == 1);
    systemd.run({"kill", "-STOP", second});
    REQUIRE(lab::wait_until([&] { return systemd.lives_again(second); }, 20s));  // the watchdog's ten seconds
    CHECK(systemd.property("NRestarts") == "2");
    CHECK(served() == 1);
  }

  SECTION("a frozen state folder delays a stop, and a start after a crash, by seconds") {
    REQUIRE(lab::run(host, {"modprobe", "loop"}).status == 0);
    REQUIRE(systemd.systemctl("stop").status == 0);
    const std::string folder = "/var/lib/directord";
    const auto mounted =
        systemd.run({"sh", "-c",
                     "truncate -s 16M /run/state && mkfs.ext4 -q /run/state && mount -o loop /run/state " + folder +
                         " && chown directord: " + folder});
    INFO(mounted.text);
    REQUIRE(mounted.status == 0);
    REQUIRE(systemd.systemctl("start").status == 0);
    REQUIRE(systemd.run({"fsfreeze", "--freeze", folder}).status == 0);
    const auto drained = systemd.run({"directorctl", "drain", "web/web1"});
    CHECK_THAT(drained.text, Catch::ContainsSubstring("not saved to disk yet"));

    const auto crashed = systemd.property("MainPID");
    systemd.run({"kill", "-KILL", crashed});
    CHECK(lab::wait_until([&] { return systemd.lives_again(crashed); }, 20s));
    CHECK(systemd.run({"directorctl", "drain", "web/web1"}).status == 0);
    const auto began = std::chrono::steady_clock::now();
    CHECK(systemd.systemctl("stop").status == 0);
    CHECK(std::chrono::steady_clock::now() - began < 15s);
    CHECK(systemd.systemctl("start").status == 0);
    CHECK(systemd.active());
    INFO(systemd.journal());
    CHECK(systemd.run({"fsfreeze", "--unfreeze", folder}).status == 0);
  }

  SECTION("another program takes over in the same process, and a stop is a success that leaves the rules") {
    const auto replaced = systemd.run({"directorctl", "replace"});
    INFO(replaced.text << systemd.journal());
    CHECK(replaced.status == 0);
    CHECK(lab::wait_until([&] { return systemd.active() && systemd.property("MainPID") == first; }, 5s));
    CHECK(systemd.property("NRestarts") == "0");
    CHECK(systemd.systemctl("stop").status == 0);
    CHECK(systemd.property("ActiveState") == "inactive");
    CHECK(systemd.property("Result") == "success");
    CHECK(served() == 1);
  }
}
