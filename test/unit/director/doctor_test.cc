#include "director/doctor/doctor.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "director/doctor/doctor_text.h"
#include "director/resources/polkit_rule.h"
#include "shop.h"
#include "test/catch.h"

using director::Finding;
using director::HostFacts;
using Severity = director::Finding::Severity;

namespace {

const auto vip = *net::Address::parse("192.168.56.10");

net::Interface interface(const char* name, const char* address) {
  return {.index = 1,
          .name = name,
          .up = true,
          .mac = net::Mac{},
          .addresses = {{.prefix = {.address = *net::Address::parse(address), .length = 24}}}};
}

net::Mac mac(unsigned char last) { return {std::byte{2}, {}, {}, {}, {}, std::byte{last}}; }

/// A host on which nothing is wrong, and a cluster with a virtual router that it is to run.
struct Host {
  config::Cluster cluster = director_test::shop();
  HostFacts facts;
  std::map<std::string, std::string> sysctls{{"net/ipv4/ip_forward", "1"},
                                             {"net/ipv4/vs/expire_nodest_conn", "1"},
                                             {"net/ipv4/vs/conn_reuse_mode", "1"},
                                             {"net/ipv4/vs/conntrack", "0"},
                                             {"net/ipv4/conf/all/send_redirects", "0"},
                                             {"net/ipv4/conf/eth0/send_redirects", "0"}};
  std::string secret_problem, program_problem;
  std::set<std::string> groups{"ops"};
  nlohmann::ordered_json status;  ///< as directord answers

  Host() {
    auto& router = cluster.virtual_routers.emplace_back();
    router.name = "front";
    router.interfaces["lb1"] = "eth0";
    router.addresses.emplace_back().prefix = {.address = vip, .length = 24};
    facts.modules = {"", "kernel/ip_vs_wrr.ko:\n", ""};
    facts.interfaces["eth0"] = interface("eth0", "192.168.56.11");
    facts.sysctl = [this](const std::string& name) {
      const auto found = sysctls.find(name);
      return found == sysctls.end() ? std::nullopt : std::optional(found->second);
    };
    facts.secret = [this](const std::string&) { return secret_problem; };
    facts.program = [this](const std::string&) { return program_problem; };
    facts.has_group = [this](const std::string& name) { return groups.contains(name); };
    facts.fingerprint = "0123456789abcdef";
    status = nlohmann::ordered_json::parse(R"({"files": "0123456789abcdef", "problems": [],
        "vrrp": [{"name": "front", "state": "master"}],
        "nodes": [{"node": "lb2", "agreement": "same"}], "services": [{"name": "web", "quorum": true}]})");
  }

  [[nodiscard]] std::string found() const {
    auto seen = facts;
    seen.daemon.status = status.dump();
    std::string text;
    for (const auto& finding : director::examine(cluster, director_test::lb1(), seen)) {
      CHECK_FALSE(finding.remedy.empty());
      text += fmt::format("{}: {}: {}\n", to_string(finding.severity), finding.subject, finding.text);
    }
    return text;
  }
};

}  // namespace

TEST_CASE("on a host in order the doctor finds nothing") { CHECK(Host().found().empty()); }

TEST_CASE("the doctor finds a kernel without IPVS, and without a scheduler's module") {
  Host host;
  host.facts.table_problem = "this kernel has no IPVS";
  CHECK(host.found() == "error: kernel: this kernel has no IPVS\n");
  host.facts.table_problem.clear();
  host.facts.modules = {"", "", ""};
  CHECK(host.found() == "error: kernel: has no module ip_vs_wrr for the scheduler of service web\n");
  host.facts.modules = {"", {}, ""};  // nobody can tell
  CHECK(host.found().empty());
}

TEST_CASE("the doctor finds groups that this host does not have") {
  Host host;
  host.cluster.director = {.operators = "ops", .readers = "monitoring"};
  CHECK(host.found() == "error: director: this host has no group 'monitoring' for readers: directord does not start\n");
  host.groups.insert("monitoring");
  CHECK(host.found().empty());
}

TEST_CASE("the doctor compares the rule of polkit with the resources of the file") {
  Host host;
  host.cluster.virtual_routers[0].resources = {{.unit = "a.service"}};
  CHECK(host.found() == "note: resources: polkit's rules cannot be read\n");
  const std::string missing =
      "warning: resources: no rule of polkit lets directord start and stop exactly the units of the cluster file\n";
  host.facts.polkit_rules = "";
  CHECK(host.found() == missing);
  host.facts.polkit_rules = "// another's\n" + director::polkit_rule(host.cluster);
  CHECK(host.found().empty());
  host.cluster.virtual_routers[0].resources.push_back({.unit = "b.service"});
  CHECK(host.found() == missing);
}

TEST_CASE("the doctor finds settings that lose packets or connections") {
  Host host;
  host.sysctls["net/ipv4/ip_forward"] = "0";
  CHECK(host.found() == "error: net.ipv4.ip_forward: is 0: with NAT nothing is forwarded\n");
  host.cluster.services[0].forward = ipvs::Forward::route;
  CHECK(host.found().empty());
  host.sysctls["net/ipv4/ip_forward"] = "1";
  host.sysctls["net/ipv4/conf/eth0/rp_filter"] = "1";
  CHECK(host.found() ==
        "note: net.ipv4.conf.eth0.rp_filter: is strict: with DR and tunnels, answers that arrive on another interface "
        "are "
        "dropped\n");
  host.sysctls["net/ipv4/conf/all/rp_filter"] = "2";  // the greater is in force
  CHECK(host.found().empty());
  host.cluster.services[0].forward = ipvs::Forward::nat;
  host.sysctls["net/ipv4/vs/expire_nodest_conn"] = "0";
  host.sysctls["net/ipv4/vs/conn_reuse_mode"] = "0";
  host.sysctls["net/ipv4/vs/expire_quiescent_template"] = "0";  // of no concern without persistence
  host.sysctls["net/ipv4/vs/conntrack"] = "1";
  host.sysctls["net/ipv4/vs/run_estimation"] = "0";
  host.sysctls["net/ipv4/conf/all/send_redirects"] = "1";
  CHECK(host.found() ==
        "warning: net.ipv4.vs.expire_nodest_conn: is 0: packets of a removed server's connections are "
        "dropped until the clients time out\n"
        "warning: net.ipv4.vs.conn_reuse_mode: is 0: clients that reuse a source port stay on drained servers\n"
        "warning: net.ipv4.conf.eth0.send_redirects: is on: clients on the same link are redirected past the director\n"
        "note: net.ipv4.vs.conntrack: is 1: each connection is tracked twice; only SNAT or a stateful packet filter "
        "needs that\n"
        "note: net.ipv4.vs.run_estimation: is 0: the kernel does not update its counters\n");
}

TEST_CASE("the doctor finds templates that keep clients on a drained server, where persistence is in force") {
  Host host;
  host.sysctls["net/ipv4/vs/expire_quiescent_template"] = "0";
  host.cluster.services[0].spec.persistence = std::chrono::seconds(300);
  CHECK(
      host.found() ==
      "warning: net.ipv4.vs.expire_quiescent_template: is 0: persistent clients stay on failed and drained servers\n");
  host.facts.daemon.error = "nobody answers";  // directord will set it
  CHECK_THAT(host.found(), !Catch::ContainsSubstring("expire_quiescent_template"));
}

TEST_CASE("the doctor finds a host that is a server of its own and answers ARP for the service") {
  Host host;
  auto& service = host.cluster.services[0];
  service.forward = ipvs::Forward::route;
  service.servers[0].endpoint.address = *net::Address::parse("192.168.56.11");
  host.sysctls["net/ipv4/conf/all/arp_ignore"] = "0";
  CHECK(host.found() == "warning: server web/web1: is this host, which answers ARP on eth0 for any address it has\n");
  host.sysctls["net/ipv4/conf/eth0/arp_ignore"] = "1";
  CHECK(host.found().empty());
}

TEST_CASE("the doctor finds interfaces that are missing or down") {
  Host host;
  host.cluster.connection_sync = config::ConnectionSync{.interfaces = {{"lb1", "eth7"}}, .id = 1};
  host.facts.interfaces["eth0"].up = false;
  CHECK(host.found() ==
        "error: vrrp front: interface eth0 is down\nerror: connection_sync: there is no interface eth7 here\n");
}

TEST_CASE("the doctor finds a virtual address that others hold too, or that was left here") {
  Host host;
  host.facts.arp_responders[vip] = {mac(1)};
  CHECK(host.found().empty());  // the master, wherever it is
  host.facts.arp_responders[vip] = {mac(1), mac(2)};
  const std::string subject = "address 192.168.56.10 of vrrp front: ";
  CHECK(host.found() ==
        "error: " + subject +
            "in use on several hosts: 02:00:00:00:00:01, 02:00:00:00:00:02 answer ARP requests for it\n");
  host.facts.arp_responders[vip] = {mac(1)};
  host.facts.interfaces["eth0"].addresses.push_back({.prefix = {.address = vip, .length = 24}});
  CHECK(host.found() ==
        "error: " + subject + "in use on several hosts: this host; 02:00:00:00:00:01 answers ARP requests for it\n");
  host.facts.arp_responders.clear();
  CHECK(host.found().empty());
  host.facts.daemon.error = "connect: refused";
  CHECK(host.found() ==
        "error: directord: connect: refused\nwarning: " + subject + "is on eth0, but directord does not run here\n");
  host.cluster.virtual_routers.front().priorities["lb1"] = vrrp::owner_priority;
  CHECK(host.found() == "error: directord: connect: refused\n");  // it is there for good
  host.cluster.virtual_routers.front().priorities.clear();
  host.facts.daemon.error.clear();
  host.facts.probe_problem = "open a packet socket: no";
  CHECK(host.found() == "note: addresses: not checked for duplicates: open a packet socket: no\n");
}

TEST_CASE("the doctor finds that the owner of an address does not have it") {
  Host host;
  host.cluster.virtual_routers.front().priorities["lb2"] = vrrp::owner_priority;
  CHECK(host.found().empty());
  host.cluster.virtual_routers.front().priorities["lb1"] = vrrp::owner_priority;
  CHECK(host.found() ==
        "error: address 192.168.56.10 of vrrp front: is not on this host, which owns it (priority 255)\n");
  host.facts.interfaces["eth0"].addresses.push_back({.prefix = {.address = vip, .length = 24}});
  CHECK(host.found().empty());
}

TEST_CASE("the doctor finds who else changes the table, and whose rules are in it") {
  Host host;
  host.facts.processes = {{.pid = 1, .name = "systemd"}, {.pid = 77, .name = "keepalived"}};
  CHECK(host.found() == "error: process keepalived: runs here (pid 77) and changes the same table or addresses\n");
  host.facts.processes.clear();
  host.facts.table[director_test::web().key];
  host.facts.table[{.protocol = ipvs::Protocol::tcp, .endpoint = {}, .fwmark = host.cluster.probe_marks.first}];
  CHECK(host.found().empty());
  auto foreign = director_test::web().key;
  for (std::uint16_t port = 81; port < 85; ++port) {
    foreign.endpoint.port = port;
    host.facts.table[foreign];
  }
  CHECK(host.found() ==
        "warning: table: 4 services are in the kernel and not in the file: tcp 192.168.56.10:81, tcp "
        "192.168.56.10:82, tcp 192.168.56.10:83, ...\n");
  host.cluster.director.ownership = config::Director::Ownership::exclusive;
  CHECK(host.found().empty());
}

TEST_CASE("what drains is directord's own") {
  Host host;
  auto key = director_test::web().key;
  key.endpoint.port = 81;
  host.facts.table[key];
  CHECK(host.found() == "warning: table: 1 service is in the kernel and not in the file: tcp 192.168.56.10:81\n");
  host.status["departures"] = {{{"service", "tcp 192.168.56.10:81"}}};
  CHECK(host.found().empty());
}

TEST_CASE("the doctor tells what directord says of itself and of the others") {
  Host host;
  auto& status = host.status;
  status["problems"] = {"add service tcp 192.0.2.1:80: no"};
  status["files"] = "fedcba9876543210";
  status["vrrp"][0]["state"] = "initialize";
  status["vrrp"][0]["reason"] = "eth0 has no IPv4 address of its own yet";
  status["nodes"][0] = {{"node", "lb2"}, {"agreement", "unknown"}, {"reason", "advertisements are not signed"}};
  status["services"][0]["quorum"] = false;
  CHECK(host.found() ==
        "error: directord: add service tcp 192.0.2.1:80: no\n"
        "error: vrrp front: not participating in VRRP: eth0 has no IPv4 address of its own yet\n"
        "error: service web: quorum lost: fewer servers in service than needed\n"
        "warning: directord: cluster file in force (fedcba9876543210) differs from this file "
        "(0123456789abcdef)\n"
        "note: node lb2: cluster file and version unknown: advertisements are not signed\n");
  status = {{"problems", 5}, {"vrrp", {1, nullptr}}, {"services", {"x"}}, {"nodes", false}, {"files", 7}};
  CHECK(host.found().starts_with("warning: directord: cluster file in force () differs from this file ("));
}

TEST_CASE("the doctor finds keys that others can read, and a clock that follows no other") {
  Host host;
  host.facts.clock_synchronized = false;
  CHECK(host.found() == "note: clock: not synchronized\n");
  host.cluster.virtual_routers[0].authentication = config::Authentication{.keys = "/etc/keys"};
  CHECK(host.found() == "warning: clock: not synchronized\n");
  host.secret_problem = "/etc/keys: others can read it";
  CHECK(host.found() == "error: vrrp front: /etc/keys: others can read it\nwarning: clock: not synchronized\n");
}

TEST_CASE("the doctor looks at the secrets of checks") {
  Host host;
  host.cluster.services[0].checks = {{.kind = checkers::Http{.authorization_file = "/etc/health.auth"}}};
  CHECK(host.found().empty());
  host.secret_problem = "/etc/health.auth: others can read it";
  CHECK(host.found() == "error: service web: /etc/health.auth: others can read it\n");
}

TEST_CASE("the doctor looks for the programs of checks and trackers, each once") {
  Host host;
  const checkers::Spec exec{.kind = checkers::Exec{.command = {"/opt/check"}}};
  host.cluster.services[0].checks = {exec};
  host.cluster.virtual_routers[0].trackers = {{.name = "script", .link = {}, .check = exec}};
  CHECK(host.found().empty());
  host.program_problem = "there is no program /opt/check";
  CHECK(host.found() == "error: service web: there is no program /opt/check\n");
}

TEST_CASE("an interface that is not there has no settings to be warned of") {
  Host host;
  host.facts.interfaces.clear();
  host.sysctls["net/ipv4/conf/all/send_redirects"] = "1";
  CHECK(host.found() == "error: vrrp front: there is no interface eth0 here\n");
}

TEST_CASE("an interface may be named by an altname; its settings have its own name") {
  Host host;
  host.facts.interfaces["wan"] = host.facts.interfaces["eth0"];
  host.cluster.virtual_routers.front().interfaces["lb1"] = "wan";
  CHECK(host.found().empty());
  host.sysctls["net/ipv4/conf/eth0/send_redirects"] = "1";
  CHECK(host.found().starts_with("warning: net.ipv4.conf.eth0.send_redirects: is on"));
}

TEST_CASE("forwarding of IPv6 takes the default route of a host that has it from router advertisements") {
  Host host;
  host.facts.interfaces["altname"] = host.facts.interfaces["eth0"];
  host.sysctls["net/ipv6/conf/all/forwarding"] = "1";
  host.sysctls["net/ipv6/conf/eth0/forwarding"] = "1";
  host.sysctls["net/ipv6/conf/eth0/accept_ra"] = "1";
  CHECK(host.found().empty());  // no IPv6 here
  auto& service = host.cluster.services.front();
  for (auto& server : service.servers) server.endpoint.address = *net::Address::parse("2001:db8::7");
  const std::string lost =
      "warning: net.ipv6.conf.eth0.accept_ra: is 1: with forwarding, router advertisements are ignored, and an IPv6 "
      "default route that this host has from them is lost\n";
  CHECK(host.found() == lost);
  // Told before somebody sets it as the doctor says.
  host.sysctls["net/ipv6/conf/all/forwarding"] = host.sysctls["net/ipv6/conf/eth0/forwarding"] = "0";
  CHECK(host.found() == "error: net.ipv6.conf.all.forwarding: is 0: with NAT nothing is forwarded\n" + lost);
  host.sysctls["net/ipv6/conf/all/forwarding"] = host.sysctls["net/ipv6/conf/eth0/forwarding"] = "1";
  for (const auto* value : {"0", "2"}) {
    host.sysctls["net/ipv6/conf/eth0/accept_ra"] = value;
    CHECK(host.found().empty());
  }
}

TEST_CASE("findings read as lines, coloured on terminals alone, and count") {
  const std::vector<Finding> findings{{Severity::error, "kernel", "is old", "get another"},
                                      {Severity::warning, "clock", "is slow", "wind it"}};
  CHECK(director::findings_text(findings, false) ==
        "error: kernel: is old; to do: get another\nwarning: clock: is slow; to do: wind it\n"
        "errors: 1, warnings: 1, notes: 0\n");
  CHECK(director::findings_text(findings, true).starts_with("\x1b[31merror\x1b[0m: kernel"));
  CHECK(director::findings_text({{director::Finding::Severity::note, "process \x1b[2J", "a\nb", "c"}}, false)
            .starts_with("note: process \\x1b[2J: a\\nb; to do: c\n"));
  CHECK(director::findings_text({}, true) == "no problems found\n");
  CHECK(director::has_errors(findings));
  CHECK_FALSE(director::has_errors({findings[1]}));
  CHECK(to_json(findings)["findings"][1]["remedy"] == "wind it");
  CHECK(to_json(findings)["errors"] == 1);
}
