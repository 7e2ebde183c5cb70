#include "director/engine/kernel_settings.h"

#include <fstream>

#include "net/kernel_host.h"
#include "scratch.h"
#include "shop.h"
#include "test/catch.h"

using director::KernelSettings;

namespace {

/// A folder in place of /proc/sys, with the settings of IPVS as the kernel brings them.
struct Kernel {
  director_test::Scratch scratch;
  net::Loop loop = net::Loop::create().value();
  director::EventLog log{loop.clock(), {}};
  net::KernelHost host{scratch.path};
  std::filesystem::path folder = scratch.path / "net/ipv4/vs";

  Kernel() {
    std::filesystem::create_directories(folder);
    for (const char* name : {"expire_quiescent_template", "sloppy_tcp", "sloppy_sctp"}) put(name, "0");
  }
  void put(const char* name, const char* value) const { std::ofstream(folder / name) << value << '\n'; }
  [[nodiscard]] std::string now(const char* name) {
    return host.read_setting(std::string("net/ipv4/vs/") + name).value();
  }
};

config::Cluster persistent() {
  auto cluster = director_test::shop();
  cluster.services[0].spec.persistence = std::chrono::seconds(300);
  return cluster;
}

}  // namespace

TEST_CASE("a kernel setting stands as long as a service needs it") {
  Kernel kernel;
  KernelSettings settings(kernel.loop, kernel.host, kernel.log, {});
  settings.set(director_test::shop());
  CHECK(kernel.now("expire_quiescent_template") == "0");
  settings.set(persistent());
  CHECK(kernel.now("expire_quiescent_template") == "1");
  CHECK(kernel.now("sloppy_tcp") == "0");

  auto both = persistent();
  both.stateless_takeover = true;
  settings.set(both);
  CHECK(kernel.now("sloppy_tcp") == "1");
  CHECK(kernel.now("sloppy_sctp") == "1");
  settings.set(persistent());  // what goes, goes alone
  CHECK(kernel.now("expire_quiescent_template") == "1");
  CHECK(kernel.now("sloppy_tcp") == "0");
  settings.restore();
  CHECK(kernel.now("expire_quiescent_template") == "0");
  CHECK(settings.problems().empty());
}

TEST_CASE("a kernel setting that was 1 before stays 1") {
  Kernel kernel;
  kernel.put("expire_quiescent_template", "1");
  KernelSettings settings(kernel.loop, kernel.host, kernel.log, {});
  settings.set(persistent());
  settings.set(director_test::shop());
  CHECK(kernel.now("expire_quiescent_template") == "1");
}

TEST_CASE("a kernel setting that cannot be set is a problem until somebody sets it") {
  Kernel kernel;
  std::filesystem::remove(kernel.folder / "expire_quiescent_template");
  KernelSettings settings(kernel.loop, kernel.host, kernel.log, {});
  settings.set(persistent());
  REQUIRE(settings.problems().size() == 1);
  CHECK(settings.problems().begin()->second ==
        "kernel setting net.ipv4.vs.expire_quiescent_template is not 1: read the setting "
        "net/ipv4/vs/expire_quiescent_template: No such file or directory; persistent clients of service web stay on "
        "failed and drained servers; set it on the host");
  kernel.put("expire_quiescent_template", "1");
  settings.set(persistent());
  CHECK(settings.problems().empty());
}
