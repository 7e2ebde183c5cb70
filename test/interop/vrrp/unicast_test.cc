// Two nodes that send each other unicast advertisements.
#include "test/interop/vrrp/lan.h"

using namespace vrrp_test;

namespace {

vrrp::Spec unicast(std::uint8_t priority, const std::string& source, const std::string& peer,
                   const std::string& address = vip) {
  vrrp::Spec all = spec("front", 51, priority, address);
  all.unicast = vrrp::Unicast{.source = lab::address(source), .peers = {lab::address(peer)}};
  return all;
}

void ip(const lab::Host& host, std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  const auto done = lab::run(host, words);
  INFO(done.text);
  REQUIRE(done.status == 0);
}

/// Its eth0 belongs to a VRF from now on.
void put_into_vrf(const lab::Host& host) {
  ip(host, {"link", "add", "blue", "type", "vrf", "table", "10"});
  ip(host, {"link", "set", "blue", "up"});
  ip(host, {"link", "set", "eth0", "master", "blue"});
}

}  // namespace

TEST_CASE_METHOD(Lan, "a node whose peer has lost its Ethernet address hears the peer before it would lead",
                 "[unicast]") {
  Node lb1(host1, {unicast(150, "10.0.0.1", "10.0.0.2")});
  Node lb2(host2, {unicast(100, "10.0.0.2", "10.0.0.1")});
  lb1.specs[0].preempt_delay = 30s;
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"base_reachable_time_ms", "500"}, {"delay_first_probe_time", "1"}, {"ucast_solicit", "1"}})
    host2.sysctl("ipv4/neigh/eth0/" + key, value);
  lb1.start();
  lb2.start();
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb1.is_master() && lb2.state() == vrrp::RouterState::backup; }, 2s));
  // At different times after the peer has asked for the address last: it asks once a second.
  for (const auto phase : {0ms, 300ms, 600ms}) {
    topology.cut(host1, "lan");
    REQUIRE(pump({&lb1, &lb2}, [&] { return lb2.is_master(); }, 2s));
    std::string entry;
    for (int tries = 0; tries < 100 && !entry.contains("INCOMPLETE") && !entry.contains("FAILED"); ++tries) {
      pump_for({&lb1, &lb2}, 200ms);
      entry = lab::run(host2, {"ip", "neighbour", "show", "10.0.0.1"}).text;
    }
    INFO(entry);
    REQUIRE((entry.contains("INCOMPLETE") || entry.contains("FAILED")));
    pump_for({&lb1, &lb2}, phase);
    lb1.log.clear();
    topology.restore(host1, "lan");
    pump_for({&lb1, &lb2}, 2500ms);
    CHECK(lb1.log == "lb1 front initialize -> backup: link eth0 is up\n");
    CHECK(lb2.is_master());
    CHECK(lb1.status().peers.size() == 1);
  }
}

TEST_CASE_METHOD(Lan, "unicast advertisements go by the routes of the VRF that the node's address is in", "[unicast]") {
  const bool v6 = GENERATE(false, true);
  const std::string own1 = v6 ? "2001:db8::1" : "10.0.0.1", own2 = v6 ? "2001:db8::2" : "10.0.0.2";
  const std::string address = v6 ? "2001:db8::100/64" : vip;
  Node lb1(host1, {unicast(150, own1, own2, address)});
  Node lb2(host2, {unicast(100, own2, own1, address)});
  const auto have_one_master = [&] { return lb1.is_master() && lb2.state() == vrrp::RouterState::backup; };
  const auto give_addresses = [&] {  // to enslave an interface takes those of IPv6 away
    if (!v6) return;
    ip(host1, {"address", "add", own1 + "/64", "dev", "eth0", "nodad"});
    ip(host2, {"address", "add", own2 + "/64", "dev", "eth0", "nodad"});
  };
  SECTION("from the start") {
    for (const auto* host : {&host1, &host2}) put_into_vrf(*host);
    give_addresses();
    lb1.start();
    lb2.start();
  }
  SECTION("and in the next one that it is put into, or in none") {
    give_addresses();
    lb1.start();
    lb2.start();
    REQUIRE(pump({&lb1, &lb2}, have_one_master, 5s));
    for (const auto* host : {&host1, &host2}) put_into_vrf(*host);
    give_addresses();
    REQUIRE(pump({&lb1, &lb2}, have_one_master, 5s));
    for (const auto* host : {&host1, &host2}) ip(*host, {"link", "delete", "blue"});
    give_addresses();
  }
  REQUIRE(pump({&lb1, &lb2}, have_one_master, 5s));
  lb1.log.clear();
  lb2.log.clear();
  const auto errors = lb1.errors;
  pump_for({&lb1, &lb2}, 1s);
  CHECK(lb1.log + lb2.log == "");
  CHECK(lb1.errors == errors);
  lb1.crash();
  CHECK(pump({&lb2}, [&] { return lb2.is_master(); }, 1s));
}
