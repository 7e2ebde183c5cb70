// Units that follow the role, under systemd itself: started where the address is, restarted in place, moved when that
// does not help, and left alone by a crash of directord.

#include <filesystem>
#include <optional>

#include "test/catch.h"
#include "test/lab/evidence.h"
#include "test/lab/process.h"
#include "test/lab/systemd.h"

using namespace std::chrono_literals;

namespace {

constexpr auto cluster_file =
    "cluster: shop\n"
    "nodes:\n"
    "  lb1: { address: 192.168.56.11, priority: 150 }\n"
    "  lb2: { address: 192.168.56.12, priority: 100 }\n"
    "vrrp:\n"
    "  front:\n"
    "    router_id: 51\n"
    "    interface: eth0\n"
    "    addresses: [192.168.56.10/24]\n"
    "    advertise: 100ms\n"
    "    resources:\n"
    "      - { unit: data.service, stop_limit: 2s }\n"
    "      - { unit: work.service, stop_limit: 2s, restarts: 2 }\n";

/// Each writes down when it begins and ends.
std::string unit_file(const std::string& name) {
  return "[Service]\nType=exec\nExecStartPre=/bin/sh -c 'echo start " + name +
         " >>/run/order'\nExecStart=/bin/sleep infinity\nExecStopPost=/bin/sh -c 'echo end " + name +
         " >>/run/order'\n";
}

/// lb1 with systemd, D-Bus and polkit, where directord is no root. lb2 with a directord alone, which does not reach
/// that systemd.
struct Cluster {
  lab::Topology topology;
  lab::Host* lb1 = nullptr;
  lab::Host* lb2 = nullptr;
  std::optional<lab::Systemd> systemd;
  std::optional<lab::Process> other;

  Cluster() {
    std::filesystem::remove("/run/order");
    topology.add_network("front");
    lb1 = &topology.add_host("lb1");
    lb2 = &topology.add_host("lb2");
    topology.connect(*lb1, "front", "eth0", {"192.168.56.11/24"});
    topology.connect(*lb2, "front", "eth0", {"192.168.56.12/24"});
    const std::filesystem::path units = "/etc/systemd/system";
    for (const char* name : {"data", "work"}) lab::write(units / (std::string(name) + ".service"), unit_file(name));
    lab::write(units / "directord.service.d" / "node.conf",
               "[Unit]\nWants=dbus.socket\nAfter=dbus.socket\n[Service]\nExecStart=\nExecStart=/usr/sbin/directord "
               "--config /etc/directord/cluster.yaml --node lb1\n");
    lab::write("/etc/directord/cluster.yaml", cluster_file);
    const auto rule = lab::run(*lb1, {(lab::programs_folder() / "directorctl").string(), "polkit",
                                      "/etc/polkit-1/rules.d/50-directord.rules"});
    INFO(rule.text);
    REQUIRE(rule.status == 0);
    systemd.emplace(*lb1, cluster_file);
  }

  void start_other() {
    lab::write("/run/lb2.yaml", cluster_file);
    other.emplace(*lb2,
                  std::vector<std::string>{"env", "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/run/lb2/none",
                                           (lab::programs_folder() / "directord").string(), "--config", "/run/lb2.yaml",
                                           "--node", "lb2", "--runtime-dir", "/run/lb2", "--state-dir", "/run/lb2"},
                  "/run/lb2.log");
  }

  [[nodiscard]] bool leads(const lab::Host& host) const { return host.holds(lab::address("192.168.56.10")); }
  [[nodiscard]] bool runs(const std::string& unit) const { return systemd->property("ActiveState", unit) == "active"; }
  [[nodiscard]] std::string pid(const std::string& unit) const { return systemd->property("MainPID", unit); }
  [[nodiscard]] std::string order() const { return systemd->run({"cat", "/run/order"}).text; }
  void kill(const std::string& pid) const { CHECK(systemd->run({"kill", "-KILL", pid}).status == 0); }
  [[nodiscard]] std::string told() const {
    return systemd->journal() + systemd->run({"directorctl", "vrrp"}).text + lab::text_of("/run/lb2.log");
  }
};

}  // namespace

TEST_CASE("systemd's units follow the role", "[resources]") {
  Cluster cluster;
  const bool up = lab::wait_until([&] { return cluster.leads(*cluster.lb1) && cluster.runs("work"); }, 20s).has_value();
  INFO(cluster.told());
  REQUIRE(up);
  CHECK(cluster.order() == "start data\nstart work\n");

  SECTION("directord is killed: the units go on, and the next one adopts them") {
    const auto work = cluster.pid("work"), data = cluster.pid("data"), director = cluster.pid("directord");
    cluster.kill(director);
    REQUIRE(lab::wait_until([&] { return cluster.systemd->lives_again(director); }, 20s));
    lab::sleep_for(3s);
    CHECK(cluster.leads(*cluster.lb1));
    CHECK(cluster.pid("work") == work);
    CHECK(cluster.pid("data") == data);
    CHECK(cluster.order() == "start data\nstart work\n");
  }

  SECTION("a unit that crashes is restarted in place, and after two restarts the role goes to the other node") {
    cluster.start_other();
    for (int i = 0; i < 2; ++i) {
      const auto dead = cluster.pid("work");
      cluster.kill(dead);
      REQUIRE(lab::wait_until([&] { return cluster.runs("work") && cluster.pid("work") != dead; }, 20s));
      CHECK(cluster.leads(*cluster.lb1));
    }
    cluster.kill(cluster.pid("work"));
    CHECK(lab::wait_until([&] { return cluster.leads(*cluster.lb2) && !cluster.leads(*cluster.lb1); }, 20s));
    CHECK_FALSE(cluster.runs("data"));
    CHECK_FALSE(cluster.runs("work"));
    INFO(cluster.told());
    CHECK_THAT(cluster.systemd->journal(), Catch::ContainsSubstring("resource work.service"));
  }

  SECTION("a failover stops the units in reverse before the addresses go") {
    cluster.start_other();
    lab::sleep_for(1s);
    CHECK(cluster.systemd->run({"directorctl", "failover", "front"}).status == 0);
    CHECK(lab::wait_until([&] { return cluster.leads(*cluster.lb2); }, 20s));
    CHECK(cluster.order() == "start data\nstart work\nend work\nend data\n");
    CHECK_FALSE(cluster.leads(*cluster.lb1));
  }
}
