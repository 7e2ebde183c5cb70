#include "director/doctor/doctor.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "director/resources/polkit_rule.h"

namespace director {
namespace {

using Severity = Finding::Severity;

/// Programs that would undo what directord does.
constexpr std::array<std::string_view, 4> rivals{"keepalived", "ldirectord", "heartbeat", "surealived"};

using nlohmann::ordered_json;

ordered_json status_of(const HostFacts& facts) { return ordered_json::parse(facts.daemon.status, nullptr, false); }

/// A member that is a list; an empty one where it is missing or something else.
ordered_json list(const ordered_json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_array() ? *found : ordered_json::array();
}

/// A member that is text, or "".
std::string text_at(const ordered_json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool has_router(const config::Cluster& cluster, bool (*holds)(const config::VirtualRouter&)) {
  return std::ranges::any_of(cluster.virtual_routers, holds);
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "?";
}

std::vector<Finding> examine(const config::Cluster& cluster, const config::Node& node, const HostFacts& facts) {
  Findings findings;
  examine_kernel(cluster, facts, findings);
  examine_settings(cluster, node, facts, findings);
  examine_links(cluster, node, facts, findings);
  examine_conflicts(cluster, facts, findings);
  examine_daemon(cluster, facts, findings);
  std::ranges::stable_sort(findings, {}, &Finding::severity);
  return findings;
}

void examine_programs(const config::Cluster& cluster, const HostFacts& facts, Findings& findings) {
  std::set<std::string> seen;
  const auto see = [&](const std::string& subject, const checkers::Spec& check) {
    const auto* exec = std::get_if<checkers::Exec>(&check.kind);
    if (exec == nullptr || !seen.insert(exec->command.front()).second) return;
    if (auto problem = facts.program(exec->command.front()); !problem.empty())
      findings.push_back(
          {Severity::error, subject, std::move(problem), "install it on every director, with mode 0755"});
  };
  for (const auto& service : cluster.services) {
    for (const auto& check : service.checks) see("service " + service.name, check);
  }
  for (const auto& router : cluster.virtual_routers) {
    for (const auto& tracker : router.trackers) {
      if (tracker.check) see("vrrp " + router.name, *tracker.check);
    }
  }
}

void examine_groups(const config::Cluster& cluster, const HostFacts& facts, Findings& findings) {
  for (const auto& [key, name] :
       {std::pair{"operators", cluster.director.operators}, {"readers", cluster.director.readers}}) {
    if (name.empty() || facts.has_group(name)) continue;
    findings.push_back({Severity::error, "director",
                        fmt::format("this host has no group '{}' for {}: directord does not start", name, key),
                        fmt::format("groupadd --system {}, or name another group in the cluster file", name)});
  }
}

void examine_resources(const config::Cluster& cluster, const HostFacts& facts, Findings& findings) {
  const auto rule = polkit_rule(cluster);
  if (rule.empty()) return;
  const std::string remedy =
      "directorctl polkit /etc/polkit-1/rules.d/50-directord.rules, as root; not needed where directord runs as root";
  if (!facts.polkit_rules) {
    findings.push_back({Severity::note, "resources", "polkit's rules cannot be read", "run the doctor as root"});
  } else if (!facts.polkit_rules->contains(rule)) {
    findings.push_back({Severity::warning, "resources",
                        "no rule of polkit lets directord start and stop exactly the units of the cluster file",
                        remedy});
  }
}

void examine_kernel(const config::Cluster& cluster, const HostFacts& facts, Findings& findings) {
  if (!facts.table_problem.empty()) {
    findings.push_back(
        {Severity::error, "kernel", facts.table_problem, "run this as root; load ip_vs at boot (/etc/modules-load.d)"});
  }
  std::set<std::string> seen;
  for (const auto& service : cluster.services) {
    const auto& scheduler = service.spec.scheduler;
    if (!seen.insert(scheduler).second) continue;
    if (facts.modules.find("ip_vs_" + scheduler) != net::Modules::Presence::missing) continue;
    findings.push_back({Severity::error, "kernel",
                        fmt::format("has no module ip_vs_{} for the scheduler of service {}", scheduler, service.name),
                        "install the kernel's package with all modules, or choose another scheduler"});
  }
  const bool signs =
      has_router(cluster, [](const config::VirtualRouter& router) { return router.authentication.has_value(); });
  if (!facts.clock_synchronized) {
    findings.push_back(
        {signs ? Severity::warning : Severity::note, "clock", "not synchronized",
         signs ? "run an NTP client: version 0.1.0 refuses signed advertisements if the clocks differ by 5 minutes"
               : "run an NTP client, so that the times in the directors' logs match"});
  }
  const auto see_secret = [&](const std::string& subject, const std::string& path) {
    const auto problem = path.empty() || !seen.insert("secret " + path).second ? "" : facts.secret(path);
    if (problem.empty()) return;
    findings.push_back(
        {Severity::error, subject, problem, "chown root and chmod 0400 the file; use the same file on every director"});
  };
  see_secret("peers", cluster.peers.keys);
  for (const auto& router : cluster.virtual_routers) {
    see_secret("vrrp " + router.name, router.password_file);
    if (router.authentication) see_secret("vrrp " + router.name, router.authentication->keys);
  }
  for (const auto& service : cluster.services) {
    for (const auto& check : service.checks) {
      const auto* http = std::get_if<checkers::Http>(&check.kind);
      if (http != nullptr) see_secret("service " + service.name, http->authorization_file);
    }
  }
  examine_programs(cluster, facts, findings);
  examine_groups(cluster, facts, findings);
  examine_resources(cluster, facts, findings);
}

void examine_conflicts(const config::Cluster& cluster, const HostFacts& facts, Findings& findings) {
  for (const auto& [pid, name] : facts.processes) {
    if (std::ranges::find(rivals, name) == rivals.end()) continue;
    findings.push_back({Severity::error, "process " + name,
                        fmt::format("runs here (pid {}) and changes the same table or addresses", pid),
                        fmt::format("systemctl disable --now {}", name)});
  }
  std::set<ipvs::ServiceKey> named;
  for (const auto& service : cluster.services) named.insert(service.key);
  std::set<std::string> draining;
  for (const auto& drain : list(status_of(facts), "departures")) draining.insert(text_at(drain, "service"));
  std::vector<std::string> foreign;
  for (const auto& [key, status] : facts.table) {
    const bool ours = named.contains(key) || cluster.probe_marks.contains(key.fwmark);
    if (!ours && !draining.contains(ipvs::to_string(key))) foreign.push_back(ipvs::to_string(key));
  }
  if (foreign.empty() || cluster.director.ownership == config::Director::Ownership::exclusive) return;
  const auto count = foreign.size();
  foreign.resize(std::min<std::size_t>(count, 3));
  findings.push_back(
      {Severity::warning, "table",
       fmt::format("{} {} in the kernel and not in the file: {}{}", count, count == 1 ? "service is" : "services are",
                   fmt::join(foreign, ", "), count > foreign.size() ? ", ..." : ""),
       "find out which program added them; `ipvsctl -D` removes one, `director: { ownership: exclusive }` all"});
}

void examine_daemon(const config::Cluster& cluster, const HostFacts& facts, Findings& findings) {
  if (!facts.daemon.error.empty()) {
    findings.push_back({Severity::error, "directord", facts.daemon.error,
                        "systemctl start directord, and read its log; for another control socket use --socket"});
    return;
  }
  const auto status = status_of(facts);
  for (const auto& problem : list(status, "problems")) {
    if (!problem.is_string()) continue;
    findings.push_back({Severity::error, "directord", problem.get<std::string>(),
                        "see directorctl status for all problems, directorctl events for what happened before"});
  }
  if (text_at(status, "files") != facts.fingerprint) {
    findings.push_back({Severity::warning, "directord",
                        fmt::format("cluster file in force ({}) differs from this file ({})", text_at(status, "files"),
                                    facts.fingerprint),
                        "directorctl plan, then directorctl reload"});
  }
  for (const auto& router : list(status, "vrrp")) {
    if (text_at(router, "state") != "initialize") continue;
    findings.push_back({Severity::error, "vrrp " + text_at(router, "name"),
                        "not participating in VRRP: " + text_at(router, "reason"), "see directorctl vrrp"});
  }
  for (const auto& other : list(status, "nodes")) {
    if (text_at(other, "agreement") != "unknown") continue;  // a difference that lasts is among the problems
    findings.push_back({Severity::note, "node " + text_at(other, "node"),
                        "cluster file and version unknown: " + text_at(other, "reason"),
                        "sign advertisements (authentication), and allow IP protocol 112 between the nodes"});
  }
  for (const auto& service : list(status, "services")) {
    if (!service.is_object() || service.value("quorum", true)) continue;
    findings.push_back({Severity::error, "service " + text_at(service, "name"),
                        "quorum lost: fewer servers in service than needed",
                        "see directorctl status for the reason of each server"});
  }
  if (cluster.virtual_routers.empty() && cluster.nodes.size() > 1) {
    findings.push_back({Severity::note, "vrrp", "the file has several nodes and no virtual router",
                        "add one under vrrp, or move the addresses by other means"});
  }
}

}  // namespace director
