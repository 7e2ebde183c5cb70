#include "test/lab/pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "test/lab/evidence.h"
#include "test/lab/ipvs_table.h"

namespace lab {

using namespace std::chrono_literals;

Pair::Pair(Options chosen) : options(std::move(chosen)), folder(output_folder() / to_string(options.forward)) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  build_networks();
  write(cluster_file());
  // An earlier set-up in this kernel may have left an operator's drain.
  for (const auto& director : directors) std::filesystem::remove(runtime_folder(director) / "state" / "state.json");
  for (auto& web : webs) web.server.emplace(*web.host);
}

void Pair::build_networks() {
  topology.add_network("front");
  topology.add_network("back");
  for (std::size_t i = 0; i < directors.size(); ++i) {
    Host& host = topology.add_host(fmt::format("lb{}", i + 1));
    topology.connect(host, "front", "enp0s3", {fmt::format("192.168.56.{}/24", 11 + i)});
    topology.connect(host, "back", "enp0s8", {fmt::format("192.168.200.{}/24", 251 + i)});
    host.sysctl("ipv4/ip_forward", "1");
    directors[i].host = &host;
    directors[i].priority = options.priorities[i];
    directors[i].programs = options.programs;
  }
  for (std::size_t i = 0; i < webs.size(); ++i) {
    Host& host = topology.add_host(fmt::format("web{}", i + 1));
    topology.connect(host, "back", "enp0s8", {fmt::format("192.168.200.{}/24", 11 + i)});
    if (options.forward == Forward::nat) {
      host.rtnetlink.add_default_route(gateway);
    } else {
      topology.connect(host, "front", "enp0s3", {fmt::format("192.168.56.{}/24", 21 + i)});
      host.sysctl("ipv4/conf/all/arp_ignore", "1");  // before the address is there
      host.sysctl("ipv4/conf/all/arp_announce", "2");
      host.rtnetlink.add_address("lo", {.address = service.address, .length = 32});
    }
    webs[i].host = &host;
    webs[i].endpoint = fmt::format("192.168.200.{}:80", 11 + i);
    webs[i].weight = i == 0 ? 3 : 1;
  }
  Host& host = topology.add_host("client");
  topology.connect(host, "front", "enp0s3", {"192.168.56.100/24"});
  client = &host;
}

std::string Pair::cluster_file() const {
  return fmt::format(R"(cluster: shop
nodes:
  lb1: {{ address: 192.168.56.11, priority: {priority1} }}
  lb2: {{ address: 192.168.56.12, priority: {priority2} }}

vrrp:
  front:
    router_id: 51
    interface: enp0s3
    addresses: [192.168.56.10/24]
    advertise: {advertise}ms
    preempt: {preempt}ms
  back:
    router_id: 52
    interface: enp0s8
    addresses: [192.168.200.250/24]
    advertise: {advertise}ms
    preempt: {preempt}ms
groups: [[front, back]]

connection_sync: {{ interface: enp0s8, id: 1 }}

services:
  web:
    listen: 192.168.56.10:80
    scheduler: wrr
    forward: {forward}
    check:
      http: {{ path: /health, expect: {{ status: 200 }} }}
      interval: {interval}ms
      timeout: {timeout}ms
      rise: {rise}
      fall: {fall}
    on_failure: drain
    servers:
      web1: {{ address: 192.168.200.11, weight: 3 }}
      web2: {{ address: 192.168.200.12 }}
)",
                     fmt::arg("priority1", directors[0].priority), fmt::arg("priority2", directors[1].priority),
                     fmt::arg("advertise", options.advertise.count()), fmt::arg("preempt", preempt_delay.count()),
                     fmt::arg("forward", to_string(options.forward)), fmt::arg("interval", check_interval.count()),
                     fmt::arg("timeout", check_timeout.count()), fmt::arg("rise", rise), fmt::arg("fall", fall));
}

void Pair::write(const std::string& cluster_file) const { std::ofstream(folder / "cluster.yaml") << cluster_file; }

std::filesystem::path Pair::runtime_folder(const Director& director) const {
  return std::filesystem::path("/run/lab") / director.host->name;
}

std::filesystem::path Pair::log_of(const Director& director) const { return folder / (director.host->name + ".log"); }

void Pair::start(Director& director) {
  const auto runtime = runtime_folder(director);
  std::filesystem::create_directories(runtime / "state");
  director.process.emplace(
      *director.host,
      std::vector<std::string>{director.programs / "directord", "--config", folder / "cluster.yaml", "--node",
                               director.host->name, "--runtime-dir", runtime, "--state-dir", runtime / "state"},
      director.log_pipe.empty() ? log_of(director) : director.log_pipe);
  director.fate = Fate::running;
}

void Pair::kill(Director& director) {
  director.process->signal_group(SIGKILL);
  director.process->wait(5s);
  director.fate = Fate::killed;
}

void Pair::stop(Director& director) {
  director.process->signal(SIGTERM);
  director.fate = Fate::stopped;
}

void Pair::cut_off(Director& director) {
  topology.cut(*director.host, "front");
  director.fate = Fate::cut_off;
}

void Pair::reconnect(Director& director) {
  topology.restore(*director.host, "front");
  director.fate = Fate::running;
}

bool Pair::start_both() {
  for (auto& director : directors) start(director);
  if (!wait_until([&] { return holds_both(lb1) && !holds_any(lb2); }, 15s)) return false;
  const auto all_in_service = [&] {
    return std::ranges::all_of(directors, [&](const Director& director) {
      return std::ranges::all_of(webs,
                                 [&](const Web& web) { return weight_of(*director.host, web.endpoint) == web.weight; });
    });
  };
  return wait_until(all_in_service, 10s).has_value();
}

bool Pair::holds_both(const Director& director) const {
  return director.host->holds(service.address) && director.host->holds(gateway);
}

bool Pair::holds_any(const Director& director) const {
  return director.host->holds(service.address) || director.host->holds(gateway);
}

Output Pair::ctl(const Director& director, std::vector<std::string> arguments) {
  std::vector<std::string> argv{director.programs / "directorctl", "--socket",
                                runtime_folder(director) / "control.sock"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(*director.host, std::move(argv));
}

nlohmann::json Pair::status(const Director& director) {
  return nlohmann::json::parse(ctl(director, {"status", "--json"}).text, nullptr, false);
}

std::string Pair::evidence() const { return lab::evidence(topology, {log_of(directors[0]), log_of(directors[1])}); }

std::chrono::milliseconds Pair::skew_time(const Director& director) const {
  return options.advertise * (256 - director.priority) / 256;
}

std::chrono::milliseconds Pair::master_down_interval(const Director& director) const {
  return 3 * options.advertise + skew_time(director);
}

std::string_view to_string(Pair::Forward forward) { return forward == Pair::Forward::nat ? "nat" : "dr"; }

std::string_view to_string(Pair::Fate fate) {
  switch (fate) {
    case Pair::Fate::absent:
      return "not started";
    case Pair::Fate::running:
      return "running";
    case Pair::Fate::killed:
      return "killed";
    case Pair::Fate::cut_off:
      return "cut off";
    case Pair::Fate::stopped:
      return "stopped";
  }
  return "";
}

}  // namespace lab
