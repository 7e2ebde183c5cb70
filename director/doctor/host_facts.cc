#include "director/doctor/host_facts.h"

#include <grp.h>
#include <sys/timex.h>

#include <charconv>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "director/control/http_client.h"
#include "director/engine/agreement.h"
#include "ipvs/netlink_kernel.h"
#include "net/arp_probe.h"
#include "net/file.h"
#include "net/kernel_host.h"
#include "net/loop.h"
#include "vrrp/secrets.h"

namespace director {
namespace {

/// For how long answers to an ARP probe are waited for.
constexpr auto patience = std::chrono::milliseconds(500);

void read_table(HostFacts& facts) {
  auto kernel = ipvs::NetlinkKernel::open();
  auto table = kernel ? kernel->list() : std::unexpected(kernel.error());
  if (!table) {
    facts.table_problem = table.error().message;
  } else {
    facts.table = std::move(*table);
  }
}

std::map<std::string, net::Interface> read_interfaces() {
  std::map<std::string, net::Interface> found;
  auto loop = net::Loop::create();
  if (!loop) return found;
  const auto links = net::KernelHost().follow_links(*loop, [](const std::string&) {});
  if (!links) return found;
  for (const auto& [index, interface] : (*links)->interfaces()) {
    found[interface.name] = interface;
    for (const auto& name : interface.altnames) found.try_emplace(name, interface);
  }
  return found;
}

std::vector<HostFacts::Process> read_processes() {
  std::vector<HostFacts::Process> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const auto name = entry.path().filename().string();
    HostFacts::Process process;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), process.pid);
    if (wrong != std::errc{} || end != name.data() + name.size()) continue;
    std::ifstream comm(entry.path() / "comm");  // it may have ended meanwhile
    if (std::getline(comm, process.name)) found.push_back(std::move(process));
  }
  return found;
}

std::optional<std::string> read_polkit_rules() {
  constexpr std::size_t most = 1 << 20;
  std::error_code error;
  std::string all;
  for (const auto& entry : std::filesystem::directory_iterator("/etc/polkit-1/rules.d", error)) {
    if (entry.path().extension() != ".rules") continue;
    const auto file = net::read_file(entry.path(), most);
    if (!file) return std::nullopt;
    all += file->text;
  }
  if (error && error != std::errc::no_such_file_or_directory) return std::nullopt;
  return all;
}

/// All at once, on this node's interfaces.
void ask_for_addresses(const config::Cluster& cluster, const config::Node& node, HostFacts& facts) {
  std::vector<std::pair<net::Address, net::ArpProbe>> asked;
  for (const auto& router : cluster.virtual_routers) {
    const auto name = router.interfaces.find(node.name);
    const auto interface =
        name == router.interfaces.end() ? facts.interfaces.end() : facts.interfaces.find(name->second);
    if (interface == facts.interfaces.end() || !interface->second.up) continue;
    for (const auto& virtual_address : router.addresses) {
      const auto& address = virtual_address.prefix.address;
      if (address.is_v6()) continue;
      auto probe = net::ArpProbe::ask(interface->second, address);
      if (probe) {
        asked.emplace_back(address, std::move(*probe));
      } else {
        facts.probe_problem = probe.error().message;
      }
    }
  }
  if (!asked.empty()) std::this_thread::sleep_for(patience);
  for (auto& [address, probe] : asked) facts.arp_responders[address] = probe.answers();
}

HostFacts::Daemon ask_daemon(const std::filesystem::path& socket) {
  const auto answer = http_request(socket, "GET", "/v1/status");
  if (!answer) return {.error = answer.error().message, .status = {}};
  const auto status = nlohmann::ordered_json::parse(answer->body, nullptr, false);
  if (answer->status == 200 && status.is_object()) return {.error = "", .status = answer->body};
  return {.error = "invalid answer to the status request", .status = {}};
}

bool clock_is_synchronized() {
  timex clock{};
  return adjtimex(&clock) != TIME_ERROR;
}

}  // namespace

HostFacts gather_facts(const config::Cluster& cluster, const config::Node& node, const std::filesystem::path& socket) {
  HostFacts facts;
  facts.modules = net::Modules::of_host();
  read_table(facts);
  facts.sysctl = [](const std::string& name) -> std::optional<std::string> {
    auto value = net::KernelHost().read_setting(name);
    return value ? std::optional(*value) : std::nullopt;
  };
  facts.interfaces = read_interfaces();
  ask_for_addresses(cluster, node, facts);
  facts.processes = read_processes();
  facts.secret = [](const std::string& path) {
    const auto text = vrrp::read_secret(path);
    return text ? "" : text.error().message;
  };
  facts.program = [](const std::string& path) { return net::program_problem(path); };
  facts.has_group = [](const std::string& name) { return getgrnam(name.c_str()) != nullptr; };
  facts.polkit_rules = read_polkit_rules();
  facts.daemon = ask_daemon(socket);
  facts.fingerprint = to_string(cluster.fingerprint);
  facts.clock_synchronized = clock_is_synchronized();
  return facts;
}

}  // namespace director
