#include "net/modules.h"
#include "test/catch.h"

using net::Modules;
using Presence = net::Modules::Presence;

namespace {

const std::string loaded = "ip_vs_rr 16384 1 - Live 0x0000000000000000\nip_vs 184320 3 ip_vs_rr, Live 0x0\n";
const std::string files =
    "kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/lib/libcrc32c.ko.xz\n"
    "kernel/net/netfilter/ipvs/ip_vs_wrr.ko.zst:\n"
    "kernel/net/netfilter/ipvs/ip-vs-sh.ko:\n";
const std::string built_in = "kernel/net/netfilter/ipvs/ip_vs_wlc.ko\n";

}  // namespace

TEST_CASE("a module is loaded, or among the kernel's files, or part of the kernel, or missing") {
  const Modules modules(loaded, files, built_in);
  CHECK(modules.find("ip_vs_rr") == Presence::loaded);
  CHECK(modules.find("ip_vs") == Presence::loaded);
  CHECK(modules.find("ip_vs_wrr") == Presence::available);
  CHECK(modules.find("ip_vs_sh") == Presence::available);
  CHECK(modules.find("ip_vs_wlc") == Presence::available);
  CHECK(modules.find("ip_vs_mh") == Presence::missing);
  CHECK(modules.find("ip_vs_w") == Presence::missing);
  CHECK(modules.find("vs_wrr") == Presence::missing);
}

TEST_CASE("where the kernel's files are not all there, what is not found is not called missing") {
  CHECK(Modules({}, {}, {}).find("ip_vs_mh") == Presence::unknown);
  CHECK(Modules(loaded, {}, {}).find("ip_vs_mh") == Presence::unknown);
  CHECK(Modules(loaded, {}, {}).find("ip_vs_rr") == Presence::loaded);
  CHECK(Modules(loaded, files, {}).find("ip_vs_wlc") == Presence::unknown);
  CHECK(Modules(loaded, {}, built_in).find("ip_vs_mh") == Presence::unknown);
  CHECK(Modules::of_host("/nowhere/at/all").find("ip_vs_mh") == Presence::unknown);
}
