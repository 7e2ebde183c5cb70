// vrrp_bench WHO ROUTERS: two nodes with that many virtual routers on one link, advertisements every 100 ms, once with
// directord (WHO is ours) and once with keepalived; prints what the master and the backup cost: "MEASURE UNIT VALUE".
// For a kernel of its own: the lab's.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "test/lab/evidence.h"
#include "test/lab/process.h"
#include "test/lab/topology.h"

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto start_time = 8s;  ///< in which one node becomes master of all, and has told the neighbours
constexpr auto measured = 10s;

struct Node {
  std::string name;
  int number = 0;
  int priority = 0;
};

std::string address_of(int router) { return fmt::format("10.0.{}.{}", 1 + router / 200, 1 + router % 200); }

std::string cluster_file(int routers) {
  std::string text =
      "cluster: bench\nnodes:\n  lb1: { address: 10.0.0.1, priority: 150 }\n"
      "  lb2: { address: 10.0.0.2, priority: 100 }\nvrrp:\n";
  for (int i = 1; i <= routers; ++i) {
    text += fmt::format("  r{0}: {{ router_id: {0}, interface: eth0, addresses: [{1}/16], advertise: 100ms }}\n", i,
                        address_of(i));
  }
  return text;
}

std::string keepalived_file(int routers, int priority) {
  std::string text = "global_defs { vrrp_version 3\n }\n";
  for (int i = 1; i <= routers; ++i) {
    text += fmt::format(
        "vrrp_instance r{0} {{ state BACKUP\n interface eth0\n virtual_router_id {0}\n priority {1}\n advert_int 0.1\n"
        " virtual_ipaddress {{ {2}/16 }}\n }}\n",
        i, priority, address_of(i));
  }
  return text;
}

lab::Process start(const lab::Host& host, const Node& node, bool ours, int routers, const fs::path& folder) {
  const fs::path base = folder / node.name;
  fs::create_directories(base);
  std::ofstream(base / "file") << (ours ? cluster_file(routers) : keepalived_file(routers, node.priority));
  std::vector<std::string> argv;
  if (ours) {
    argv = {lab::programs_folder() / "directord",
            "--config",
            base / "file",
            "--node",
            node.name,
            "--runtime-dir",
            base / "run",
            "--state-dir",
            base / "state"};
  } else {
    argv = {"keepalived", "--vrrp",     "--dont-fork", "--log-console",  "-f", base / "file",
            "-p",         base / "pid", "-r",          base / "vrrp.pid"};
  }
  return {host, std::move(argv), base / "log"};
}

/// CPU seconds of all processes that were started with that word in their command line.
double cpu_of(const std::string& word) {
  double ticks = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream words(entry.path() / "cmdline");
    std::string line;
    if (!std::getline(words, line) || !line.contains(word)) continue;
    std::ifstream stat(entry.path() / "stat");
    if (!std::getline(stat, line)) continue;
    unsigned long user = 0, system = 0;
    const auto* fields = line.c_str() + line.rfind(')') + 2;
    if (std::sscanf(fields, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
      ticks += static_cast<double>(user + system);
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void run(bool ours, int routers) {
  const fs::path folder = lab::output_folder() / "vrrp-bench";
  fs::remove_all(folder);
  lab::Topology topology;
  topology.add_network("link");
  const std::vector<Node> nodes = {{.name = "lb1", .number = 1, .priority = 150},
                                   {.name = "lb2", .number = 2, .priority = 100}};
  std::vector<const lab::Host*> hosts;
  std::vector<lab::Process> processes;
  for (const Node& node : nodes) {
    lab::Host& host = topology.add_host(node.name);
    topology.connect(host, "link", "eth0", {fmt::format("10.0.0.{}/16", node.number)});
    hosts.push_back(&host);
    processes.push_back(start(host, node, ours, routers, folder));
  }
  const auto is_master_of_all = [&](std::size_t node, bool expected) {
    for (int i = 1; i <= routers; ++i) {
      if (hosts[node]->holds(net::Address::parse(address_of(i)).value()) != expected) return false;
    }
    return true;
  };
  lab::sleep_for(start_time);
  const auto cpu = [&](std::size_t node) { return cpu_of((folder / nodes[node].name).string()); };
  const double master = cpu(0), backup = cpu(1);
  lab::sleep_for(measured);
  const auto percent = [&](double before, std::size_t node) {
    return 100 * (cpu(node) - before) / std::chrono::duration<double>(measured).count();
  };
  const double of_master = percent(master, 0), of_backup = percent(backup, 1);
  if (!is_master_of_all(0, true) || !is_master_of_all(1, false))
    throw std::runtime_error("the first node is not master of all: see the logs in " + folder.string());
  fmt::print("{0}_routers/master % {1:.1f}\n{0}_routers/backup % {2:.1f}\n", routers, of_master, of_backup);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string who = argc == 3 ? argv[1] : "", number = argc == 3 ? argv[2] : "";
  int routers = 0;
  std::from_chars(number.data(), number.data() + number.size(), routers);
  if ((who != "ours" && who != "keepalived") || routers < 1 || routers > 255) {
    fmt::print(stderr, "usage: vrrp_bench ours|keepalived ROUTERS (1..255)\n");
    return 2;
  }
  try {
    run(who == "ours", routers);
  } catch (const std::exception& error) {
    fmt::print(stderr, "vrrp_bench: {}\n", error.what());
    return 1;
  }
}
