// What directord and ipvsctl say when the kernel will not have it: exact sentences, exact exit status.

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>

#include "test/catch.h"
#include "test/lab/process.h"
#include "test/lab/topology.h"

namespace {

constexpr auto web = "listen: 192.168.56.10:80, servers: { web1: { address: 192.168.200.11 } }";
constexpr auto web6 = "listen: '[2001:db8::10]:80', servers: { web1: { address: '2001:db8:1::11' } }";

std::vector<std::string> directord(const std::filesystem::path& folder, const std::string& service = web) {
  std::ofstream(folder / "cluster.yaml")
      << "cluster: shop\nnodes: { lb1: { address: 192.168.56.11 } }\nservices: { web: { scheduler: wrr, forward: nat, "
      << service << " } }\n";
  return {lab::programs_folder() / "directord",
          "--config",
          folder / "cluster.yaml",
          "--node",
          "lb1",
          "--runtime-dir",
          folder / "run",
          "--state-dir",
          folder / "state"};
}

std::filesystem::path open_to_all(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  return folder;
}

bool ends_with_line(const std::string& text, const std::string& line) { return text.ends_with(line + "\n"); }

/// Takes ip_vs and everything on it out of the kernel, and keeps it from coming back by itself.
void unload_ip_vs() {
  std::ofstream("/proc/sys/kernel/modprobe") << "/bin/false";
  for (bool removed = true; removed;) {
    removed = false;
    std::ifstream modules("/proc/modules");
    for (std::string line; std::getline(modules, line);) {
      const auto name = line.substr(0, line.find(' '));
      if (name.starts_with("ip_vs")) removed |= syscall(SYS_delete_module, name.c_str(), O_NONBLOCK) == 0;
    }
  }
  REQUIRE_FALSE(std::filesystem::exists("/proc/net/ip_vs"));
}

std::vector<std::string> ipvsctl(std::vector<std::string> words) {
  words.insert(words.begin(), lab::programs_folder() / "ipvsctl");
  return words;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("the programs without privileges, and on a kernel without IPVS, say what is missing", "[refusal]") {
  lab::Topology topology;
  const lab::Host& host = topology.add_host("lb1");

  const std::vector<std::string> as_nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"};
  auto unprivileged = ipvsctl({"-A", "-t", "192.0.2.1:80"});
  unprivileged.insert(unprivileged.begin(), as_nobody.begin(), as_nobody.end());
  auto refused = lab::run(host, unprivileged);
  INFO(refused.text);
  CHECK(refused.status != 0);
  CHECK(ends_with_line(refused.text, "not permitted; this needs root or the capability CAP_NET_ADMIN"));

  refused = lab::run(host, ipvsctl({"-A", "-t", "192.0.2.1:80", "-s", "nonesuch"}));
  INFO(refused.text);
  CHECK(refused.status != 0);
  CHECK(refused.text.find("load its module: modprobe ip_vs_nonesuch") != std::string::npos);

  auto command = directord(open_to_all("/run/unprivileged"));
  command.insert(command.begin(), as_nobody.begin(), as_nobody.end());
  auto ended = lab::run(host, command);
  INFO(ended.text);
  CHECK(ended.status == 1);
  CHECK(ends_with_line(ended.text, "not permitted; this needs root or the capability CAP_NET_ADMIN"));

  unload_ip_vs();
  ended = lab::run(host, directord(open_to_all("/run/without")));
  INFO(ended.text);
  CHECK(ended.status == 1);
  CHECK(ends_with_line(ended.text, "this kernel has no IPVS: load its module as root with `modprobe ip_vs`"));
  refused = lab::run(host, ipvsctl({"-Ln"}));
  INFO(refused.text);
  CHECK(refused.status != 0);
  CHECK(ends_with_line(refused.text, "this kernel has no IPVS: load its module as root with `modprobe ip_vs`"));
}

TEST_CASE("the programs on a kernel without IPv6 say so", "[without-ipv6]") {
  REQUIRE_FALSE(std::filesystem::exists("/proc/sys/net/ipv6"));
  const std::string cause = "this kernel has no IPv6, or it is switched off (ipv6.disable=1)";
  lab::Topology topology;
  const lab::Host& host = topology.add_host("lb1");

  auto refused = lab::run(host, ipvsctl({"-A", "-t", "[2001:db8::10]:80"}));
  CHECK(refused.status == 255);
  CHECK(refused.text == "ipvsctl: add tcp [2001:db8::10]:80: " + cause + "\n");
  CHECK(lab::run(host, ipvsctl({"-A", "-t", "192.0.2.1:80"})).status == 0);
  refused = lab::run(host, ipvsctl({"-a", "-t", "192.0.2.1:80", "-r", "[2001:db8::11]:80", "-i"}));
  CHECK(refused.status == 255);
  CHECK(refused.text == "ipvsctl: add [2001:db8::11]:80 to tcp 192.0.2.1:80: " + cause + "\n");
  refused = lab::run(host, ipvsctl({"-L", "-t", "[2001:db8::10]:80"}));
  CHECK(refused.status != 0);
  CHECK(refused.text == "ipvsctl: list tcp [2001:db8::10]:80: " + cause + "\n");

  // directord goes on with what there is, so that other services live, and says what it cannot do.
  const lab::Process director(host, directord(open_to_all("/run/without6"), web6), "/run/without6/log");
  const auto said = [&] {
    return text_of(director.log()).find("add tcp [2001:db8::10]:80: " + cause) != std::string::npos;
  };
  CHECK(lab::wait_until(said, std::chrono::seconds(5)));
  INFO(text_of(director.log()));
}
