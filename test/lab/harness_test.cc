// The harness, proved against the kernel and ipvsadm before anything of ours is measured with it.

#include <fmt/format.h>

#include "test/catch.h"
#include "test/lab/client.h"
#include "test/lab/evidence.h"
#include "test/lab/ipvs_table.h"
#include "test/lab/process.h"
#include "test/lab/pulse.h"
#include "test/lab/topology.h"
#include "test/lab/web_server.h"

using namespace std::chrono_literals;
using namespace lab;

namespace {

const net::Endpoint service{.address = address("192.168.56.10"), .port = 80};

/// One director with both of its virtual addresses, two web servers, a client; web servers have a leg on the front
/// network too, so that they can answer past the director.
struct Lan {
  Topology topology;
  Host *lb1, *web1, *web2, *client;

  Lan() {
    topology.add_network("front");
    topology.add_network("back");
    lb1 = &topology.add_host("lb1");
    web1 = &topology.add_host("web1");
    web2 = &topology.add_host("web2");
    client = &topology.add_host("client");
    topology.connect(*lb1, "front", "enp0s3", {"192.168.56.11/24", "192.168.56.10/24"});
    topology.connect(*lb1, "back", "enp0s8", {"192.168.200.251/24", "192.168.200.250/24"});
    topology.connect(*web1, "back", "enp0s8", {"192.168.200.11/24"});
    topology.connect(*web2, "back", "enp0s8", {"192.168.200.12/24"});
    topology.connect(*client, "front", "enp0s3", {"192.168.56.100/24"});
    lb1->sysctl("ipv4/ip_forward", "1");
  }

  void ipvsadm(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "ipvsadm");
    const auto output = run(*lb1, arguments);
    INFO(output.text);
    REQUIRE(output.status == 0);
  }
};

}  // namespace

TEST_CASE("ip_vs is real: NAT by wrr 3:1 gives 300:100", "[harness]") {
  const Lan lan;
  for (auto* web : {lan.web1, lan.web2}) web->rtnetlink.add_default_route(address("192.168.200.250"));
  const WebServer web1(*lan.web1), web2(*lan.web2);
  lan.ipvsadm({"-A", "-t", "192.168.56.10:80", "-s", "wrr"});
  lan.ipvsadm({"-a", "-t", "192.168.56.10:80", "-r", "192.168.200.11:80", "-m", "-w", "3"});
  lan.ipvsadm({"-a", "-t", "192.168.56.10:80", "-r", "192.168.200.12:80", "-m", "-w", "1"});

  const auto table = parse_ipvs_table(lan.lb1->proc_net("ip_vs"));
  REQUIRE(table.size() == 1);
  CHECK(table[0].endpoint == "192.168.56.10:80");
  REQUIRE(table[0].destinations.size() == 2);
  CHECK(weight_of(*lan.lb1, "192.168.200.11:80") == 3);
  CHECK(table[0].destinations[0].forward == "Masq");
  CHECK(parse_ipvs_table(lan.client->proc_net("ip_vs")).empty());

  const auto tally = request(*lan.client, service, 400);
  CHECK(tally.failed == 0);
  CHECK(tally.by_server == std::map<std::string, int>{{"web1", 300}, {"web2", 100}});
  CHECK(web1.counters().pages == 300);
  CHECK(web2.counters().pages == 100);
}

TEST_CASE("ip_vs is real: DR by a server that holds the address and does not say so", "[harness]") {
  Lan lan;
  lan.topology.connect(*lan.web1, "front", "enp0s3", {"192.168.56.21/24"});
  const WebServer web1(*lan.web1);
  lan.web1->sysctl("ipv4/conf/all/arp_ignore", "1");
  lan.web1->sysctl("ipv4/conf/all/arp_announce", "2");
  lan.web1->rtnetlink.add_address("lo", prefix("192.168.56.10/32"));
  lan.ipvsadm({"-A", "-t", "192.168.56.10:80", "-s", "rr"});
  lan.ipvsadm({"-a", "-t", "192.168.56.10:80", "-r", "192.168.200.11:80", "-g"});

  CHECK(request(*lan.client, service, 40).by_server == std::map<std::string, int>{{"web1", 40}});
  const auto neighbour = run(*lan.client, {"ip", "neighbour", "show", "192.168.56.10"}).text;
  const auto mac_of_lb1 = run(*lan.lb1, {"ip", "-br", "link", "show", "enp0s3"}).text;
  CHECK_THAT(mac_of_lb1, Catch::ContainsSubstring(neighbour.substr(neighbour.find("lladdr ") + 7, 17)));

  lan.topology.cut(*lan.lb1, "front");
  run(*lan.client, {"ip", "neighbour", "flush", "all"});
  CHECK(request(*lan.client, service, 1).failed == 1);
  lan.web1->sysctl("ipv4/conf/all/arp_ignore", "0");
  run(*lan.client, {"ip", "neighbour", "flush", "all"});  // or the next question is a second after the last one
  CHECK(request(*lan.client, service, 1).by_server.contains("web1"));
}

TEST_CASE("an outage is measured as long as it was", "[harness]") {
  const bool carrier_stays = GENERATE(false, true);
  const auto length = GENERATE(60ms, 400ms);
  Lan lan;
  WebServer director_itself(*lan.lb1);
  // A host that sends into a dead link asks there for its neighbour's address, and again only a second later, however
  // soon the link is back: an outage of its own, which is not the one measured here.
  const auto link = run(*lan.client, {"ip", "-br", "link", "show", "enp0s3"}).text;
  const auto mac = link.substr(link.find(':') - 2, 17);
  const auto told = run(*lan.lb1, {"ip", "neighbour", "replace", "192.168.56.100", "lladdr", mac, "dev", "enp0s3"});
  INFO(told.text);
  REQUIRE(told.status == 0);
  const Pulse pulse;
  const Prober prober(*lan.client, service);
  REQUIRE(prober.settle(300ms, 3s));

  const auto begin = net::monotonic_now();
  carrier_stays ? lan.topology.unplug(*lan.lb1, "front") : lan.topology.cut(*lan.lb1, "front");
  const auto surely_cut = net::monotonic_now();
  sleep_for(length);
  const auto least = net::monotonic_now() - surely_cut;
  carrier_stays ? lan.topology.plug_in(*lan.lb1, "front") : lan.topology.restore(*lan.lb1, "front");
  const auto most = net::monotonic_now() - begin;
  REQUIRE(prober.settle(300ms, 3s));

  const auto outage = prober.outage(begin - 100ms, net::monotonic_now() - Prober::limit);
  const auto lost = pulse.stood_still(begin - 100ms, outage.over);
  INFO(fmt::format("cut for {} to {} us, measured {} us, {} requests failed, the lab was stalled for {} us",
                   least / 1us, most / 1us, outage.longest / 1us, outage.failed, lost / 1us));
  CHECK(outage.longest >= least);
  CHECK(outage.longest <= most + 12ms + lost);
  CHECK(outage.failed >= (length - 10ms - lost) / Prober::interval);
}
