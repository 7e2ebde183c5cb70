// What the operator and the cluster file do to nodes of ours that run, on a real kernel: handovers, reloads, refusals.

#include "test/interop/vrrp/lan.h"

using namespace vrrp_test;

namespace {

/// lb1 and lb2 as one cluster file shows them to each other.
struct Acquainted : Pair {
  Acquainted() {
    lb1.specs[0].peer_priorities = {100};
    lb2.specs[0].peer_priorities = {150};
  }

  /// How long it takes until lb2 alone holds the address; somebody does at every moment.
  std::optional<net::Duration> taken_over() {
    return pump(
        {&lb1, &lb2},
        [&] {
          CHECK((host1.holds(vip_address) || host2.holds(vip_address)));
          return only_holder(host2);
        },
        1s);
  }
};

}  // namespace

TEST_CASE_METHOD(Acquainted, "a stop and a handover are make-before-break, and cost no skew", "[change]") {
  settle();
  lb1.begin_to_stop();
  const auto stopped = taken_over();
  REQUIRE(stopped);
  CHECK(*stopped < 20ms);
  CHECK(lb1.status().reason == "resigned; 10.0.0.2 took over");

  lb1.crash();
  lb1.start();
  REQUIRE(pump({&lb1, &lb2}, [&] { return only_holder(host1); }, 1s));
  pump_for({&lb1, &lb2}, 150ms);
  REQUIRE(lb1.routers().hand_over("front"));
  const auto handed_over = taken_over();
  REQUIRE(handed_over);
  CHECK(*handed_over < 20ms);
  pump_for({&lb1, &lb2}, 1s);  // the higher priority leaves it there
  CHECK(only_holder(host2));
  CHECK(lb1.routers().hand_over("front").error().message == "front is backup here, not master");
  CHECK(lb1.routers().hand_over("frnt").error().message == "there is no virtual router frnt");
  lb2.crash();
  CHECK(pump({&lb1}, [&] { return lb1.is_master(); }, 1s));
}

TEST_CASE_METHOD(Acquainted, "a handover that nobody answers is called off", "[change]") {
  settle();
  lb2.stop();
  REQUIRE(lb1.routers().hand_over("front"));
  pump_for({&lb1}, 300ms);
  CHECK(only_holder(host1));
  CHECK(lb1.is_master());
  CHECK(lb1.notices == "lb1 front: no other node took over: remaining master\n");
}

TEST_CASE_METHOD(Acquainted, "one that is inhibited becomes master when that ends, or hears its reason", "[change]") {
  lb1.inhibit_reason = "the first verdicts are not known";
  lb1.start();
  pump_for({&lb1}, 600ms);
  CHECK(lb1.state() == vrrp::RouterState::backup);
  CHECK(lb1.status().standby_reason == "the first verdicts are not known");
  lb1.routers().end_inhibit("ready");
  CHECK(lb1.is_master());
  CHECK(lb1.status().reason == "ready");
}

TEST_CASE_METHOD(Acquainted, "a reload changes a master in place", "[change]") {
  settle();
  const auto before = lb1.log;
  lb1.specs[0].addresses = {lab::prefix("10.0.0.101/24"), lab::prefix(vip)};
  lb1.specs[0].name = "entrance";
  lb1.specs[0].priority = 160;
  lb1.update();
  CHECK(host1.holds(lab::address("10.0.0.101")));
  CHECK(host1.holds(vip_address));
  lb1.specs[0].addresses = {lab::prefix("10.0.0.101/24")};
  lb1.update();
  CHECK(host1.holds(lab::address("10.0.0.101")));
  CHECK_FALSE(host1.holds(vip_address));
  lb1.specs[0].advertise = 50ms;
  lb1.update();
  pump_for({&lb1, &lb2}, 300ms);
  CHECK(lb2.status().peers.at(0).priority == 160);
  CHECK(lb2.state() == vrrp::RouterState::backup);
  CHECK(lb1.log == before);
  CHECK(lb1.status().spec.name == "entrance");
}

TEST_CASE_METHOD(Acquainted, "a reload starts what is new and hands over what is gone, groups too", "[change]") {
  settle();
  lb1.specs.push_back(spec("back", 52, 150, "10.0.0.200/24"));
  lb1.specs[1].peer_priorities = {100};
  lb1.groups = {{"front", "back"}};
  lb1.update();
  CHECK(lb1.is_master(0));
  CHECK(lb1.is_master(1));  // it joined a group that is
  CHECK(host1.holds(lab::address("10.0.0.200")));

  lb1.groups.clear();
  lb1.update();
  CHECK(lb1.is_master(0));
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb1.is_master(1); }, 1s));
  lb1.specs.pop_back();
  lb1.update();
  pump_for({&lb1, &lb2}, 200ms);
  CHECK_FALSE(host1.holds(lab::address("10.0.0.200")));
  CHECK(only_holder(host1));

  lb1.specs.clear();
  lb1.update();
  const auto handed_over = taken_over();
  REQUIRE(handed_over);
  CHECK(*handed_over < 20ms);
  CHECK(lb1.errors + lb2.errors == "");
}

TEST_CASE_METHOD(Acquainted, "a router that leaves as its group is broken up gives its address up at once",
                 "[change]") {
  settle();
  lb1.specs.push_back(spec("back", 52, 150, "10.0.0.200/24"));
  lb1.specs.push_back(spec("side", 53, 150, "10.0.0.201/24"));
  lb1.groups = {{"back", "side"}};
  lb1.update();
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb1.is_master(1) && lb1.is_master(2); }, 1s));
  REQUIRE(host1.holds(lab::address("10.0.0.201")));

  lb1.specs.pop_back();
  lb1.groups = {{"front", "back"}};
  lb1.update();
  CHECK_FALSE(host1.holds(lab::address("10.0.0.201")));
  CHECK(host1.holds(lab::address("10.0.0.200")));
  CHECK(lb1.is_master(0));
  CHECK(lb1.is_master(1));
  CHECK(lb1.errors + lb2.errors == "");
}

TEST_CASE_METHOD(Lan, "a master whose addresses the kernel refuses gives the role up and says why", "[change]") {
  topology.add_network("six");
  for (auto* host : {&host1, &host2}) {
    host->sysctl("ipv6/conf/default/accept_dad", "0");
    topology.connect(*host, "six", "eth1", {host == &host1 ? "2001:db8::1/64" : "2001:db8::2/64"});
  }
  const auto by_the_other_link = [](std::uint8_t priority, const char* source, const char* peer) {
    vrrp::Spec all = spec("front", 51, priority, "2001:db8:1::100/64");  // on eth0, spoken of on eth1
    all.unicast = vrrp::Unicast{.source = lab::address(source), .peers = {lab::address(peer)}};
    return all;
  };
  const auto address = lab::address("2001:db8:1::100");
  Node lb1(host1, {by_the_other_link(150, "2001:db8::1", "2001:db8::2")});
  Node lb2(host2, {by_the_other_link(100, "2001:db8::2", "2001:db8::1")});
  host1.sysctl("ipv6/conf/eth0/disable_ipv6", "1");
  lb1.start();
  lb2.start();
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb2.is_master() && !lb1.status().problem.empty(); }, 2s));
  CHECK(lb1.state() == vrrp::RouterState::initialize);
  CHECK(lb1.status().problem.find("set the address 2001:db8:1::100/64") != std::string::npos);
  const std::string before = lb2.log;
  pump_for({&lb1, &lb2}, 2500ms);  // its tries disturb nobody
  CHECK(lb2.log == before);

  host1.sysctl("ipv6/conf/eth0/disable_ipv6", "0");
  REQUIRE(pump({&lb1, &lb2}, [&] { return host1.holds(address) && !host2.holds(address); }, 6s));
  CHECK(lb1.status().problem == "");
  host1.sysctl("ipv6/conf/eth0/disable_ipv6", "1");  // and while it is master
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb2.is_master(); }, 1s));
}
