// Checks `via: vip` on a real kernel: a DR server without the virtual address on lo is up to a plain check and down to
// one with `via: vip`; on the master, on the backup, and across takeovers, without a false verdict.

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "test/catch.h"
#include "test/lab/evidence.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/process.h"
#include "test/lab/web_server.h"

using namespace std::chrono_literals;

namespace {

/// Two directors and two web servers for DR. `web1` holds the virtual address silently, `web2` does not. The service
/// `plain` (port 80) is checked at the servers' own addresses, `true` (port 81) with `via: vip`.
///
///     front 192.168.56.0/24    lb1 .11, lb2 .12; the virtual address .10
///     back  192.168.200.0/24   lb1 .251, lb2 .252, web1 .11, web2 .12
class World {
 public:
  explicit World(const std::string& name, std::string forward = "dr")
      : folder_(lab::output_folder() / name), forward_(std::move(forward)) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    topology.add_network("front");
    topology.add_network("back");
    for (std::size_t i = 0; i < lbs.size(); ++i) {
      auto& lb = topology.add_host(fmt::format("lb{}", i + 1));
      topology.connect(lb, "front", "enp0s3", {fmt::format("192.168.56.{}/24", 11 + i)});
      topology.connect(lb, "back", "enp0s8", {fmt::format("192.168.200.{}/24", 251 + i)});
      for (const auto* where : {"all", "enp0s3", "enp0s8"})
        lb.sysctl(fmt::format("ipv4/conf/{}/rp_filter", where), "1");
      lbs[i] = &lb;
    }
    for (std::size_t i = 0; i < webs.size(); ++i) {
      auto& web = topology.add_host(fmt::format("web{}", i + 1));
      topology.connect(web, "back", "enp0s8", {fmt::format("192.168.200.{}/24", 11 + i)});
      web.sysctl("ipv4/conf/all/arp_ignore", "1");
      web.sysctl("ipv4/conf/all/arp_announce", "2");
      webs[i] = &web;
      for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{81}}) {
        servers_.push_back(std::make_unique<lab::WebServer>(web, port));
      }
    }
    std::ofstream(folder_ / "cluster.yaml") << cluster_file();
  }

  void start(std::size_t i, std::vector<std::string> before = {}) {
    const auto runtime = std::filesystem::path("/run/lab") / lbs[i]->name;
    std::filesystem::create_directories(runtime / "state");
    before.insert(before.end(), {lab::programs_folder() / "directord", "--config", folder_ / "cluster.yaml", "--node",
                                 lbs[i]->name, "--runtime-dir", runtime, "--state-dir", runtime / "state"});
    directors_[i].emplace(*lbs[i], std::move(before), log(i));
  }
  void kill(std::size_t i) {
    directors_[i]->signal_group(SIGKILL);
    directors_[i]->wait(5s);
  }
  [[nodiscard]] std::optional<int> stop(std::size_t i) {
    directors_[i]->signal(SIGTERM);
    return directors_[i]->wait(5s);
  }

  /// "up", "down", "unknown"; empty while the director does not answer.
  [[nodiscard]] std::string health(std::size_t i, const std::string& name) {
    const auto status = this->status(i);
    if (status.is_discarded()) return "";
    for (const auto& service : status["services"]) {
      for (const auto& server : service["servers"]) {
        if (service["name"].get<std::string>() + "/" + server["name"].get<std::string>() == name)
          return server["health"];
      }
    }
    return "";
  }
  [[nodiscard]] nlohmann::json status(std::size_t i) const {
    const auto socket = std::filesystem::path("/run/lab") / lbs[i]->name / "control.sock";
    const auto output =
        lab::run(*lbs[i], {lab::programs_folder() / "directorctl", "--socket", socket, "status", "--json"});
    return nlohmann::json::parse(output.text, nullptr, false);
  }
  [[nodiscard]] bool judged(std::size_t i) {
    return health(i, "plain/web1") == "up" && health(i, "plain/web2") == "up" && health(i, "true/web1") == "up" &&
           health(i, "true/web2") == "down";
  }
  [[nodiscard]] bool holds_vip(std::size_t i) const { return lbs[i]->holds(lab::address("192.168.56.10")); }

  [[nodiscard]] std::filesystem::path log(std::size_t i) const { return folder_ / (lbs[i]->name + ".log"); }
  [[nodiscard]] std::string logged(std::size_t i) const {
    std::ifstream in(log(i));
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::string setting(std::size_t i, const std::string& name) const {
    auto text = lab::run(*lbs[i], {"cat", "/proc/sys/net/ipv4/conf/" + name}).text;
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
  }
  [[nodiscard]] std::vector<lab::IpvsService> private_services(std::size_t i) const {
    auto services = lab::parse_ipvs_table(lbs[i]->proc_net("ip_vs"));
    std::erase_if(services, [](const auto& service) { return service.protocol != "FWM"; });
    return services;
  }
  [[nodiscard]] std::string evidence() const { return lab::evidence(topology, {log(0), log(1)}); }

  lab::Topology topology;
  std::array<lab::Host*, 2> lbs{}, webs{};

 private:
  [[nodiscard]] std::string cluster_file() const {
    return fmt::format(R"(cluster: shop
nodes:
  lb1: {{ address: 192.168.56.11, priority: 150 }}
  lb2: {{ address: 192.168.56.12, priority: 100 }}
vrrp:
  front: {{ router_id: 51, interface: enp0s3, addresses: [192.168.56.10/24], advertise: 100ms }}
defaults:
  check: {{ interval: 500ms, timeout: 400ms, rise: 2, fall: 2 }}
  service:
    forward: {}
    scheduler: wrr
services:
  plain:
    listen: 192.168.56.10:80
    check: {{ http: {{ path: /health }} }}
    servers: &servers {{ web1: {{ address: 192.168.200.11 }}, web2: {{ address: 192.168.200.12 }} }}
  true:
    listen: 192.168.56.10:81
    checks: [{{ http: {{ path: /health, via: vip }} }}, {{ tcp: {{ via: vip }} }}]
    servers: *servers
)",
                       forward_);
  }

  std::filesystem::path folder_;
  std::string forward_;
  std::vector<std::unique_ptr<lab::WebServer>> servers_;
  std::array<std::optional<lab::Process>, 2> directors_;
};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The virtual address on a web server: where DR servers hold it, or where a tunnel ends.
void hold_vip(lab::Host& web, const std::string& interface) {
  web.rtnetlink.add_address(interface, lab::prefix("192.168.56.10/32"));
}

/// The story that both ways of forwarding have to live through.
void play(World& world, const std::string& interface) {
  hold_vip(*world.webs[0], interface);
  world.start(0);
  CHECK(lab::wait_until([&] { return world.holds_vip(0) && world.judged(0); }, 10s));
  world.start(1);
  CHECK(lab::wait_until([&] { return world.judged(1); }, 10s));
  CHECK_FALSE(world.holds_vip(1));
  for (const std::size_t i : {0UZ, 1UZ}) {
    CHECK(world.setting(i, "enp0s8/accept_local") == "1");
    CHECK(world.setting(i, "enp0s8/rp_filter") == "2");
    REQUIRE(world.private_services(i).size() == 2);
    for (const auto& service : world.private_services(i)) {
      REQUIRE(service.destinations.size() == 1);
      CHECK(service.destinations[0].weight == 1);
    }
  }
  const auto before = world.private_services(0);

  world.kill(0);
  CHECK(lab::wait_until([&] { return world.holds_vip(1); }, 5s));
  lab::sleep_for(3s);  // many times the time in which a false verdict would fall
  CHECK(world.judged(1));

  world.start(0);  // takes the address back
  CHECK(lab::wait_until([&] { return world.holds_vip(0) && !world.holds_vip(1); }, 5s));
  lab::sleep_for(3s);
  CHECK(world.judged(0));
  CHECK(world.judged(1));
  for (const std::size_t i : {0UZ, 1UZ}) {
    INFO(world.logged(i));
    CHECK(count(world.logged(i), "server true/web1: up -> down") == 0);
    CHECK(count(world.logged(i), "server true/web2: down -> up") == 0);
    CHECK(count(world.logged(i), "VIP check") == 0);
  }
  // The second life found its private services as the first had left them.
  CHECK(count(world.logged(0), "add fwmark") == 2);
  CHECK(count(world.logged(0), " of fwmark") == 0);
  REQUIRE(world.private_services(0).size() == 2);
  for (std::size_t n = 0; n < 2; ++n) CHECK(world.private_services(0)[n].endpoint == before[n].endpoint);

  hold_vip(*world.webs[1], interface);
  for (const std::size_t i : {0UZ, 1UZ}) {
    CHECK(lab::wait_until([&] { return world.health(i, "true/web2") == "up"; }, 5s));
    CHECK(world.stop(i) == 0);
    CHECK(world.setting(i, "enp0s8/rp_filter") == "1");  // as before the first life, though that was killed
    CHECK(world.setting(i, "enp0s8/accept_local") == "0");
  }
}

}  // namespace

TEST_CASE("a DR server without the virtual address is down by its `via: vip` check, whoever is master", "[vip-check]") {
  World world("vip-check");
  play(world, "lo");
  UNSCOPED_INFO(world.evidence());
}

TEST_CASE("a tunnel's end without the virtual address is down by its `via: vip` check", "[vip-check]") {
  World world("vip-check-tunnel", "tunnel");
  REQUIRE(lab::run(*world.webs[0], {"modprobe", "ipip"}).status == 0);
  for (auto* web : world.webs) {
    for (const auto* where : {"all", "enp0s8", "tunl0"}) web->sysctl(fmt::format("ipv4/conf/{}/rp_filter", where), "0");
    web->rtnetlink.set_up("tunl0", true);
  }
  play(world, "tunl0");
  UNSCOPED_INFO(world.evidence());
}

TEST_CASE("answers that this host drops hold the verdicts, and it says so once", "[vip-check]") {
  World world("broken-path");
  hold_vip(*world.webs[0], "lo");
  world.start(0);
  world.start(1);
  CHECK(lab::wait_until([&] { return world.holds_vip(0) && world.judged(0) && world.judged(1); }, 10s));

  const std::vector<std::string> rule = {"INPUT", "-s", "192.168.56.10", "-p", "tcp", "-j", "DROP"};
  const auto iptables = [&](const std::string& command) {
    auto argv = rule;
    argv.insert(argv.begin(), {"iptables-legacy", command});
    const auto output = lab::run(*world.lbs[1], argv);
    INFO(output.text);
    CHECK(output.status == 0);
  };
  iptables("-A");
  world.kill(0);
  const auto says = [&](const std::string& words) { return count(world.logged(1), words); };
  CHECK(lab::wait_until([&] { return says("no check `via: vip` has passed since ") == 1; }, 10s));
  lab::sleep_for(2s);
  CHECK(says("no check `via: vip` has passed since ") == 1);
  CHECK(world.judged(1));
  CHECK(world.status(1)["problems"].dump().find("no check `via: vip` has passed since ") != std::string::npos);
  iptables("-D");
  CHECK(lab::wait_until([&] { return says("works again") == 1; }, 5s));
  CHECK(world.status(1)["problems"].empty());
  CHECK(says("server true/web1: up -> down") == 0);
  UNSCOPED_INFO(world.evidence());
}

TEST_CASE("settings that cannot be changed hold the verdicts while the address is here", "[vip-check]") {
  World world("fixed-settings");
  hold_vip(*world.webs[0], "lo");
  const std::vector<std::string> read_only = {
      "unshare",
      "--mount",
      "sh",
      "-c",
      "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec \"$@\"",
      "sh"};
  world.lbs[0]->sysctl("ipv4/conf/all/rp_filter", "0");
  world.lbs[0]->sysctl("ipv4/conf/enp0s8/rp_filter", "0");
  world.start(0, read_only);  // the backup at first: probes work without accept_local
  const auto refused = "set net/ipv4/conf/enp0s8/accept_local to 1: Read-only file system";
  CHECK(lab::wait_until([&] { return count(world.logged(0), refused) == 1; }, 5s));
  CHECK(lab::wait_until([&] { return world.holds_vip(0); }, 5s));
  lab::sleep_for(2s);
  CHECK(world.health(0, "true/web1") == "up");
  CHECK(world.health(0, "plain/web1") == "up");
  CHECK(count(world.logged(0), "warning VIP check") == 1);
  world.lbs[0]->sysctl("ipv4/conf/enp0s8/accept_local", "1");  // the operator does it
  CHECK(lab::wait_until([&] { return world.status(0)["problems"].empty(); }, 15s));
  CHECK(world.judged(0));
  CHECK(count(world.logged(0), "server true/web1: up -> down") == 0);
  UNSCOPED_INFO(world.evidence());
}

TEST_CASE("a `via: vip` check over IPv6, before and after the address comes to this director", "[vip-check]") {
  const auto folder = lab::output_folder() / "vip-check-ipv6";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  lab::Topology topology;
  topology.add_network("net");
  auto& lb = topology.add_host("lb1");
  topology.connect(lb, "net", "eth0", {"fd00::1/64"});
  std::vector<std::unique_ptr<lab::WebServer>> servers;
  for (const auto* name : {"web1", "web2"}) {
    auto& web = topology.add_host(name);
    topology.connect(web, "net", "eth0", {fmt::format("fd00::1{}/64", name[3])});
    if (servers.empty()) web.rtnetlink.add_address("lo", lab::prefix("fd00::80/128"));
    servers.push_back(std::make_unique<lab::WebServer>(web));
  }
  std::ofstream(folder / "cluster.yaml") << R"(cluster: shop
services:
  web:
    listen: "[fd00::80]:80"
    forward: dr
    check: { http: { path: /health, via: vip }, interval: 500ms, timeout: 400ms, rise: 2, fall: 2 }
    servers: { web1: { address: "fd00::11" }, web2: { address: "fd00::12" } }
)";
  const auto log = folder / "lb1.log";
  const lab::Process director(lb,
                              {lab::programs_folder() / "directord", "--config", folder / "cluster.yaml",
                               "--runtime-dir", folder / "run", "--state-dir", folder / "state"},
                              log);
  const auto logged = [&](const std::string& words) {
    std::ifstream in(log);
    return count({std::istreambuf_iterator<char>(in), {}}, words);
  };
  CHECK(lab::wait_until([&] { return logged("web/web1: unknown -> up") == 1 && logged("web2: unknown -> down") == 1; },
                        10s));
  lb.rtnetlink.add_address("eth0", lab::prefix("fd00::80/128"));
  lab::sleep_for(3s);
  CHECK(logged(" -> ") == 2);
  CHECK(logged("VIP check") == 0);
  servers[0]->kill();
  CHECK(lab::wait_until([&] { return logged("web/web1: up -> down") == 1; }, 5s));
  UNSCOPED_INFO(lab::evidence(topology, {log}));
}
