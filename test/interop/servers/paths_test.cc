// What a probe makes of this host's own routes, addresses, interfaces and packet filter, and of what routers answer.

#include "test/interop/servers/probing.h"
#include "test/lab/process.h"
#include "test/lab/topology.h"

using namespace checkers;

namespace {

net::Endpoint at(const char* text) { return net::Endpoint::parse(text).value(); }

/// A director, and a router behind which there is nobody.
struct Site {
  lab::Topology topology;
  lab::Host& director = topology.add_host("d");
  lab::Host& router = topology.add_host("r");

  Site() {
    topology.add_network("back");
    topology.connect(director, "back", "eth0", {"10.0.0.1/24"});
    topology.connect(router, "back", "eth0", {"10.0.0.254/24"});
    router.sysctl("ipv4/ip_forward", "1");
    ip(router, {"route", "add", "unreachable", "10.9.0.0/24"});
    ip(director, {"route", "add", "10.9.0.0/24", "via", "10.0.0.254"});
    for (const auto& [kind, network] :
         {std::pair("blackhole", "10.1.0.0/24"), {"prohibit", "10.2.0.0/24"}, {"unreachable", "10.3.0.0/24"}})
      ip(director, {"route", "add", kind, network});
  }

  static void ip(lab::Host& host, std::vector<std::string> words) {
    words.insert(words.begin(), "ip");
    const auto done = lab::run(host, words);
    INFO(done.text);
    REQUIRE(done.status == 0);
  }

  Result probe_from_here(const char* target, Kind kind, Path path = {}) const {
    const lab::Within within(director.network);
    auto key = check(at(target), std::move(kind), std::chrono::seconds(5));
    key.spec.path = std::move(path);
    return Shell().first_result(key);
  }
};

}  // namespace

TEST_CASE_METHOD(Site, "this host's own routes, addresses, interfaces and packet filter are its own fault") {
  const auto blocked = [&](const char* target, Kind kind, const std::string& fault, Path path = {}) {
    const auto result = probe_from_here(target, std::move(kind), std::move(path));
    INFO(result.sentence);
    CHECK(result.outcome == Outcome::blocked);
    CHECK(result.local_fault == fault);
  };
  for (const auto& kind : {Kind(Tcp{}), Kind(Udp{.send = "x"}), Kind(Icmp{})}) {
    blocked("10.1.0.1:80", kind, "no route: Invalid argument");
    blocked("10.2.0.1:80", kind, "no route: Permission denied");
    blocked("10.3.0.1:80", kind, "no route: No route to host");
    blocked("10.8.0.1:80", kind, "no route: Network is unreachable");
    blocked("10.0.0.254:80", kind, "bind to 10.0.0.77: Cannot assign requested address",
            {.source = net::Address::parse("10.0.0.77")});
    blocked("10.0.0.254:80", kind, "bind to interface eth7: No such device", {.interface = "eth7"});
  }
  REQUIRE(lab::run(director, {"iptables-legacy", "-A", "OUTPUT", "-p", "udp", "-j", "DROP"}).status == 0);
  blocked("10.0.0.254:80", Udp{.send = "x"}, "a packet filter of this host: Operation not permitted");
}

TEST_CASE_METHOD(Site, "a host that a router does not reach is that host's failure, and heard at once") {
  for (const auto& kind : {Kind(Tcp{}), Kind(Udp{.send = "x"})}) {
    const auto result = probe_from_here("10.9.0.1:80", kind);
    INFO(result.sentence);
    CHECK(result.outcome == Outcome::failed);
    CHECK(result.sentence.ends_with(": No route to host"));
    CHECK(result.took < std::chrono::seconds(2));
  }
}
