#include "vrrp/virtual_mac.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "net/kernel_host.h"
#include "test/catch.h"
#include "vrrp/spec.h"

using net::Family;

namespace {

/// A folder in the place of /proc/sys with these settings.
class Settings {
 public:
  explicit Settings(const std::map<std::string, std::string>& values) {
    std::filesystem::remove_all(root_);
    for (const auto& [name, value] : values) {
      std::filesystem::create_directories((root_ / name).parent_path());
      std::ofstream(root_ / name) << value << "\n";
    }
  }
  ~Settings() { std::filesystem::remove_all(root_); }

  [[nodiscard]] std::string at(const std::string& name) const {
    return net::KernelHost(root_).read_setting(name).value();
  }
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_ = std::filesystem::temp_directory_path() / ("sysctls." + std::to_string(getpid()));
};

std::map<std::string, std::string> settings(const std::string& all) {
  std::map<std::string, std::string> values;
  for (const std::string whose : {"all", "eth0", "vrrp4.51"}) {
    for (const std::string name : {"arp_ignore", "arp_announce", "rp_filter"}) {
      values["net/ipv4/conf/" + whose + "/" + name] = whose == "all" ? all : "0";
    }
  }
  values["net/ipv6/conf/vrrp4.51/accept_ra"] = "1";
  return values;
}

}  // namespace

TEST_CASE("a virtual MAC is made of the family and the VRID") {
  CHECK(net::to_string(vrrp::virtual_mac(Family::ipv4, 51)) == "00:00:5e:00:01:33");
  CHECK(net::to_string(vrrp::virtual_mac(Family::ipv6, 255)) == "00:00:5e:00:02:ff");
  CHECK(vrrp::virtual_interface(Family::ipv4, 51) == "vrrp4.51");
  CHECK(vrrp::virtual_interface(Family::ipv6, 255) == "vrrp6.255");
}

TEST_CASE("each of the two interfaces comes to speak of its own addresses alone") {
  const Settings all(settings("0"));
  net::KernelHost host(all.root());
  net::Sysctls sysctls(host);
  REQUIRE(vrrp::separate_arp(sysctls, "eth0", "vrrp4.51"));
  for (const std::string interface : {"eth0", "vrrp4.51"}) {
    CHECK(all.at("net/ipv4/conf/" + interface + "/arp_ignore") == "1");
    CHECK(all.at("net/ipv4/conf/" + interface + "/arp_announce") == "2");
  }
  CHECK(all.at("net/ipv4/conf/vrrp4.51/rp_filter") == "0");
  CHECK(all.at("net/ipv6/conf/vrrp4.51/accept_ra") == "0");
  sysctls.restore();
  CHECK(all.at("net/ipv4/conf/eth0/arp_ignore") == "0");
}

TEST_CASE("a strict reverse path becomes a loose one, and what is in force for all is not said again") {
  const Settings all(settings("1"));
  net::KernelHost host(all.root());
  net::Sysctls sysctls(host);
  REQUIRE(vrrp::separate_arp(sysctls, "eth0", "vrrp4.51"));
  CHECK(all.at("net/ipv4/conf/eth0/arp_ignore") == "0");
  CHECK(all.at("net/ipv4/conf/eth0/arp_announce") == "2");
  CHECK(all.at("net/ipv4/conf/eth0/rp_filter") == "0");
  CHECK(all.at("net/ipv4/conf/vrrp4.51/rp_filter") == "2");
}

TEST_CASE("a host without IPv6 lacks nothing") {
  auto values = settings("0");
  values.erase("net/ipv6/conf/vrrp4.51/accept_ra");
  const Settings all(values);
  net::KernelHost host(all.root());
  net::Sysctls sysctls(host);
  CHECK(vrrp::separate_arp(sysctls, "eth0", "vrrp4.51"));
}
