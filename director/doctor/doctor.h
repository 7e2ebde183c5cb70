#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/cluster.h"
#include "director/doctor/finding.h"
#include "ipvs/types.h"
#include "net/links.h"
#include "net/modules.h"

/// What is wrong with a host that is to run directord with a cluster file. Pure: facts in, findings out.
namespace director {

struct HostFacts {
  struct Process {
    int pid = 0;
    std::string name;
  };
  struct Daemon {
    std::string error;   ///< why directord does not answer; empty: it does
    std::string status;  ///< what GET /v1/status answers: the text of a JSON object
  };

  net::Modules modules{{}, {}, {}};
  std::string table_problem;  ///< why the kernel's IPVS table cannot be read; empty: it can
  ipvs::Snapshot table;
  std::function<std::optional<std::string>(const std::string& name)> sysctl;  ///< "net/ipv4/ip_forward"; none: no such
  std::map<std::string, net::Interface> interfaces;                           ///< by name and altname
  std::map<net::Address, std::vector<net::Mac>> arp_responders;  ///< who but this host answers for a virtual address
  std::string probe_problem;                                     ///< why that could not be asked
  std::vector<Process> processes;                                ///< that run here; of all names
  std::function<std::string(const std::string& path)> secret;   ///< what is wrong with a file of secrets; "" if nothing
  std::function<std::string(const std::string& path)> program;  ///< why it cannot be run (net::program_problem)
  std::function<bool(const std::string& name)> has_group;       ///< of users
  std::optional<std::string> polkit_rules;                      ///< all of /etc/polkit-1/rules.d; none: unreadable
  Daemon daemon;
  std::string fingerprint;         ///< of the file on disk
  bool clock_synchronized = true;  ///< the kernel's clock follows another
};

/// The worst first.
[[nodiscard]] std::vector<Finding> examine(const config::Cluster& cluster, const config::Node& node,
                                           const HostFacts& facts);

// Its parts, each in the order of the file.
using Findings = std::vector<Finding>;
void examine_kernel(const config::Cluster& cluster, const HostFacts& facts, Findings& findings);
void examine_programs(const config::Cluster& cluster, const HostFacts& facts, Findings& findings);
void examine_groups(const config::Cluster& cluster, const HostFacts& facts, Findings& findings);
void examine_resources(const config::Cluster& cluster, const HostFacts& facts, Findings& findings);
void examine_settings(const config::Cluster& cluster, const config::Node& node, const HostFacts& facts,
                      Findings& findings);
void examine_links(const config::Cluster& cluster, const config::Node& node, const HostFacts& facts,
                   Findings& findings);
void examine_conflicts(const config::Cluster& cluster, const HostFacts& facts, Findings& findings);
void examine_daemon(const config::Cluster& cluster, const HostFacts& facts, Findings& findings);

}  // namespace director
