// The doctor on a host that is well, and with one real fault after the other.

#include <sys/utsname.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "test/catch.h"
#include "test/lab/pair.h"
#include "test/lab/process.h"

using namespace std::chrono_literals;

namespace {

struct Patient {
  lab::Pair pair{{.forward = lab::Pair::Forward::nat, .advertise = 100ms, .programs = lab::programs_folder()}};
  const lab::Host& host = *pair.lb1.host;

  Patient() {
    host.sysctl("ipv4/vs/expire_nodest_conn", "1");
    for (const char* interface : {"all", "enp0s3", "enp0s8"}) {
      host.sysctl(std::string("ipv4/conf/") + interface + "/send_redirects", "0");
    }
    pair.start(pair.lb1);
    pair.start(pair.lb2);
    INFO(pair.evidence());
    REQUIRE(lab::wait_until([&] { return pair.holds_both(pair.lb1) && quorum(); }, 20s));
  }

  bool quorum() {
    const auto status = pair.status(pair.lb1);
    return status.is_object() && status["services"][0].value("quorum", false);
  }

  lab::Output doctor(const std::string& file) { return pair.ctl(pair.lb1, {"doctor", file, "--node", "lb1"}); }
  lab::Output doctor() { return doctor(pair.folder / "cluster.yaml"); }

  /// The cluster file with something else in it, beside the one in force.
  std::string other_file(std::string_view from, std::string_view to) {
    auto text = pair.cluster_file();
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
      text.replace(at, from.size(), to);
    }
    const auto path = pair.folder / "other.yaml";
    std::ofstream(path) << text;
    return path;
  }
};

}  // namespace

TEST_CASE("the doctor finds nothing wrong with a host in order, and names what is broken then", "[doctor]") {
  Patient patient;
  auto& pair = patient.pair;
  const auto found = [&](const std::string& text, const std::string& file) {
    const auto said = patient.doctor(file);
    INFO(said.text);
    CHECK(said.text.contains(text));
    CHECK(said.status == (said.text.contains("error: ") ? 1 : 0));
  };
  const std::string file = pair.folder / "cluster.yaml";

  const auto well = patient.doctor();
  INFO(well.text);
  CHECK(well.status == 0);
  CHECK(well.text.contains("errors: 0, warnings: 0,"));
  CHECK(well.text.contains("note: node lb2: cluster file and version unknown: advertisements are not signed"));

  patient.host.sysctl("ipv4/ip_forward", "0");
  found("error: net.ipv4.ip_forward: is 0", file);
  patient.host.sysctl("ipv4/ip_forward", "1");

  CHECK(lab::run(patient.host, {pair.options.programs / "ipvsctl", "-A", "-t", "10.9.9.9:80", "-s", "rr"}).status == 0);
  found("warning: table: 1 service is in the kernel and not in the file: tcp 10.9.9.9:80", file);
  CHECK(lab::run(patient.host, {pair.options.programs / "ipvsctl", "-D", "-t", "10.9.9.9:80"}).status == 0);

  {
    std::filesystem::copy_file("/bin/sleep", pair.folder / "keepalived");
    lab::Process rival(patient.host, {pair.folder / "keepalived", "60"}, pair.folder / "rival.log");
    lab::sleep_for(200ms);
    found("error: process keepalived: runs here", file);
    rival.signal(SIGTERM);
    CHECK(rival.wait(5s));
  }
  found("error: vrrp front: there is no interface eth9 here", patient.other_file("enp0s3", "eth9"));
  found("warning: directord: cluster file in force (", patient.other_file("weight: 3", "weight: 4"));

  // A kernel whose files name all schedulers but one.
  utsname kernel{};
  uname(&kernel);
  const auto modules = std::filesystem::path("/lib/modules") / kernel.release;
  std::filesystem::create_directories(modules);
  std::ofstream(modules / "modules.dep") << "kernel/net/netfilter/ipvs/ip_vs_wrr.ko:\n";
  std::ofstream(modules / "modules.builtin") << "";
  found("error: kernel: has no module ip_vs_twos for the scheduler of service web",
        patient.other_file("scheduler: wrr", "scheduler: twos"));

  const auto keys = pair.folder / "vrrp.keys";
  std::ofstream(keys) << "1 a secret of the lab\n";
  std::filesystem::permissions(keys, std::filesystem::perms(0644));
  found("error: vrrp front: ",
        patient.other_file("    advertise:", "    authentication: { keys: " + keys.string() + " }\n    advertise:"));

  // Somebody else on the link takes the address too.
  CHECK(patient.doctor().status == 0);
  CHECK(lab::run(*pair.client, {"ip", "address", "add", "192.168.56.10/24", "dev", "enp0s3"}).status == 0);
  found("error: address 192.168.56.10 of vrrp front: in use on several hosts: this host; ", file);

  pair.kill(pair.lb1);
  found("error: directord: ", file);
}
