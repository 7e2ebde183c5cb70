// What the doctor finds in the host's settings, interfaces and addresses.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <ranges>
#include <set>

#include "director/doctor/doctor.h"
#include "net/arp_probe.h"
#include "net/sysctls.h"

namespace director {
namespace {

using Severity = Finding::Severity;

class Settings {
 public:
  Settings(const HostFacts& facts, Findings& findings) : facts_(facts), findings_(findings) {}

  /// A setting that is there and has another value than it must.
  void must_be(Severity severity, const std::string& name, std::string_view wanted, std::string_view why) {
    const auto value = facts_.sysctl(name);
    if (!value || *value == wanted) return;
    findings_.push_back({severity, setting(name), fmt::format("is {}: {}", *value, why),
                         fmt::format("sysctl -w {}={}, and in /etc/sysctl.d", setting(name), wanted)});
  }

  /// What is in force on an interface: the greater of all's and its own.
  [[nodiscard]] int in_force(const std::string& interface, const std::string& name) const {
    const auto all = facts_.sysctl(fmt::format("net/ipv4/conf/all/{}", name));
    const auto own = facts_.sysctl(fmt::format("net/ipv4/conf/{}/{}", interface, name));
    return net::in_force(all.value_or(""), own.value_or(""));
  }

  static std::string setting(std::string name) {
    std::ranges::replace(name, '/', '.');
    return name;
  }

 private:
  const HostFacts& facts_;
  Findings& findings_;
};

/// The interfaces of the virtual routers that are here, by their own names, which the settings have.
std::set<std::string> interfaces_of(const config::Cluster& cluster, const config::Node& node, const HostFacts& facts) {
  std::set<std::string> names;
  for (const auto& router : cluster.virtual_routers) {
    const auto asked = router.interfaces.find(node.name);
    if (asked == router.interfaces.end()) continue;
    if (const auto found = facts.interfaces.find(asked->second); found != facts.interfaces.end())
      names.insert(found->second.name);
  }
  return names;
}

/// With forwarding, which NAT of IPv6 needs, the kernel ignores router advertisements where accept_ra is 1, and forgets
/// the default route that it has from them.
void examine_router_advertisements(const HostFacts& facts, bool forwards, Findings& findings) {
  std::set<std::string> seen;
  for (const auto& [called, interface] : facts.interfaces) {
    const auto& name = interface.name;
    if (name == "lo" || !interface.up || !seen.insert(name).second) continue;
    const auto setting = [&](std::string_view of) {
      return facts.sysctl(fmt::format("net/ipv6/conf/{}/{}", name, of)).value_or("");
    };
    if (setting("accept_ra") != "1" || !(forwards || setting("forwarding") == "1")) continue;
    findings.push_back({Severity::warning, fmt::format("net.ipv6.conf.{}.accept_ra", name),
                        "is 1: with forwarding, router advertisements are ignored, and an IPv6 default route that this "
                        "host has from them is lost",
                        fmt::format("sysctl -w net.ipv6.conf.{}.accept_ra=2, and in /etc/sysctl.d; or set a static "
                                    "default route and accept_ra=0",
                                    name)});
  }
}

bool is_nat(const config::Service& service) { return service.forward == ipvs::Forward::nat; }

/// The interface that holds an address; null if this host does not.
const net::Interface* holder(const HostFacts& facts, const net::Address& address) {
  for (const auto& [name, interface] : facts.interfaces) {
    for (const auto& own : interface.addresses) {
      if (own.prefix.address == address) return &interface;
    }
  }
  return nullptr;
}

/// A server of DR or tunnel that is this host itself would answer for the service's address.
void examine_own_servers(const config::Cluster& cluster, const HostFacts& facts, const Settings& settings,
                         Findings& findings) {
  for (const auto& service : cluster.services) {
    if (is_nat(service)) continue;
    for (const auto& server : service.servers) {
      const auto* interface = server.endpoint.address.is_v4() ? holder(facts, server.endpoint.address) : nullptr;
      if (interface == nullptr || settings.in_force(interface->name, "arp_ignore") != 0) continue;
      findings.push_back({Severity::warning, "server " + service.name + "/" + server.name,
                          fmt::format("is this host, which answers ARP on {} for any address it has", interface->name),
                          "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2, before the "
                          "service's address is added to lo"});
    }
  }
}

}  // namespace

void examine_settings(const config::Cluster& cluster, const config::Node& node, const HostFacts& facts,
                      Findings& findings) {
  Settings settings(facts, findings);
  const auto any = [&](auto holds) { return std::ranges::any_of(cluster.services, holds); };
  const auto nat_of = [](bool v6) {
    return [v6](const config::Service& service) {
      return is_nat(service) && std::ranges::any_of(service.servers, [v6](const config::Server& server) {
               return server.endpoint.address.is_v6() == v6;
             });
    };
  };
  if (any(nat_of(false))) {
    settings.must_be(Severity::error, "net/ipv4/ip_forward", "1", "with NAT nothing is forwarded");
  }
  if (any(nat_of(true))) {
    settings.must_be(Severity::error, "net/ipv6/conf/all/forwarding", "1", "with NAT nothing is forwarded");
  }
  settings.must_be(Severity::warning, "net/ipv4/vs/expire_nodest_conn", "1",
                   "packets of a removed server's connections are dropped until the clients time out");
  if (const auto reuse = facts.sysctl("net/ipv4/vs/conn_reuse_mode"); reuse && *reuse == "0") {
    settings.must_be(Severity::warning, "net/ipv4/vs/conn_reuse_mode", "1",
                     "clients that reuse a source port stay on drained servers");
  }
  // directord sets it itself; where it is not set though it runs, somebody else has changed it since.
  const bool runs = facts.daemon.error.empty();
  if (runs && any([](const config::Service& service) { return service.spec.persistence.count() != 0; })) {
    settings.must_be(Severity::warning, "net/ipv4/vs/expire_quiescent_template", "1",
                     "persistent clients stay on failed and drained servers");
  }
  settings.must_be(Severity::note, "net/ipv4/vs/conntrack", "0",
                   "each connection is tracked twice; only SNAT or a stateful packet filter needs that");
  if (const auto estimates = facts.sysctl("net/ipv4/vs/run_estimation"); estimates && *estimates == "0") {
    settings.must_be(Severity::note, "net/ipv4/vs/run_estimation", "1", "the kernel does not update its counters");
  }
  const bool ipv6 = any([](const config::Service& service) { return service.key.endpoint.address.is_v6(); });
  if (ipv6 || any(nat_of(true))) examine_router_advertisements(facts, any(nat_of(true)), findings);
  for (const auto& interface : interfaces_of(cluster, node, facts)) {
    if (any(is_nat) && settings.in_force(interface, "send_redirects") != 0) {
      findings.push_back(
          {Severity::warning, "net.ipv4.conf." + interface + ".send_redirects",
           "is on: clients on the same link are redirected past the director",
           fmt::format("sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.{}.send_redirects=0", interface)});
    }
    if (any([](const config::Service& service) { return !is_nat(service); }) &&
        settings.in_force(interface, "rp_filter") == 1) {
      findings.push_back({Severity::note, "net.ipv4.conf." + interface + ".rp_filter",
                          "is strict: with DR and tunnels, answers that arrive on another interface are dropped",
                          fmt::format("sysctl -w net.ipv4.conf.{}.rp_filter=2; directord sets it itself for checks "
                                      "`via: vip`",
                                      interface)});
    }
  }
  examine_own_servers(cluster, facts, settings, findings);
}

namespace {

/// False: a router's interface cannot be used.
bool examine_interface(const std::string& what, const std::string& name, const HostFacts& facts, Findings& findings) {
  const auto found = facts.interfaces.find(name);
  if (found == facts.interfaces.end()) {
    const auto names = facts.interfaces | std::views::keys;
    findings.push_back(
        {Severity::error, what, fmt::format("there is no interface {} here", name),
         fmt::format("create it, or use another one in the cluster file; present: {}", fmt::join(names, ", "))});
    return false;
  }
  if (found->second.up) return true;
  findings.push_back({Severity::error, what, fmt::format("interface {} is down", name),
                      fmt::format("ip link set {} up, and check its cable", name)});
  return false;
}

void examine_address(const config::VirtualRouter& router, const config::Node& node, const net::Address& address,
                     const HostFacts& facts, Findings& findings) {
  const auto* held = holder(facts, address);
  const auto subject = fmt::format("address {} of vrrp {}", net::to_string(address), router.name);
  const bool owned = config::priority_of(router, node) == vrrp::owner_priority;
  if (owned && held == nullptr) {
    findings.push_back({Severity::error, subject, "is not on this host, which owns it (priority 255)",
                        "add it to the host's network configuration: directord does not add an owner's addresses"});
  }
  if (held != nullptr && !owned && !facts.daemon.error.empty()) {
    findings.push_back({Severity::warning, subject,
                        fmt::format("is on {}, but directord does not run here", held->name),
                        "remove it from the host's network configuration: directord adds and removes it"});
  }
  const auto found = facts.arp_responders.find(address);
  const auto answers = found == facts.arp_responders.end() ? std::vector<net::Mac>{} : found->second;
  if (answers.size() + (held != nullptr ? 1 : 0) < 2) return;
  std::vector<std::string> macs;
  for (const auto& mac : answers) macs.push_back(net::to_string(mac));
  findings.push_back(
      {Severity::error, subject,
       fmt::format("in use on several hosts: {}{} {} ARP requests for it", held != nullptr ? "this host; " : "",
                   fmt::join(macs, ", "), macs.size() == 1 ? "answers" : "answer"),
       "find them (`ip neigh`): a second master, or with DR a server without arp_ignore=1 and "
       "arp_announce=2"});
}

}  // namespace

void examine_links(const config::Cluster& cluster, const config::Node& node, const HostFacts& facts,
                   Findings& findings) {
  for (const auto& router : cluster.virtual_routers) {
    const auto found = router.interfaces.find(node.name);
    if (found == router.interfaces.end()) continue;
    if (!examine_interface("vrrp " + router.name, found->second, facts, findings)) continue;
    for (const auto& address : router.addresses) examine_address(router, node, address.prefix.address, facts, findings);
  }
  if (cluster.connection_sync) {
    const auto found = cluster.connection_sync->interfaces.find(node.name);
    if (found != cluster.connection_sync->interfaces.end()) {
      examine_interface("connection_sync", found->second, facts, findings);
    }
  }
  if (!facts.probe_problem.empty() && !cluster.virtual_routers.empty()) {
    findings.push_back(
        {Severity::note, "addresses", "not checked for duplicates: " + facts.probe_problem, "run this as root"});
  }
}

}  // namespace director
