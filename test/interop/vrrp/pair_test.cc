// Two nodes of ours on a real kernel: who holds the addresses, for how long, and what the neighbours learn.

#include <unistd.h>

#include "net/kernel_host.h"
#include "test/interop/vrrp/lan.h"

using namespace vrrp_test;

TEST_CASE_METHOD(Pair, "the higher priority becomes master, holds the address, and gets it back", "[pair]") {
  settle();
  CHECK(lb1.status().reason == "no master was heard for 342ms");
  CHECK(lb2.status().peers.at(0).address == lab::address("10.0.0.1"));
  CHECK(lb2.status().peers.at(0).priority == 150);
  CHECK(lb2.status().adverts.received > 0);

  lb1.stop();
  const auto taken = pump({&lb2}, [&] { return lb2.is_master(); }, 1s);
  REQUIRE(taken);
  CHECK(*taken < skew_100 + slack);
  CHECK(lb2.status().reason == "10.0.0.1 resigned");
  CHECK(only_holder(host2));

  lb1.start();
  const auto back = pump({&lb1, &lb2}, [&] { return only_holder(host1); }, 1s);
  REQUIRE(back);
  CHECK(lb2.status().reason == "heard 10.0.0.1 with priority 150, ours is 100");
  CHECK(lb1.errors + lb2.errors == "");
}

TEST_CASE_METHOD(Pair, "a killed master's address outlives it until another holds it, and then vanishes", "[pair]") {
  settle();
  lb1.crash();
  const auto taken = pump(
      {&lb2},
      [&] {
        CHECK((host1.holds(vip_address) || host2.holds(vip_address)));
        return lb2.is_master();
      },
      1s);
  REQUIRE(taken);
  CHECK(*taken < 300ms + skew_100 + slack);
  CHECK(lb2.status().reason == "no master was heard for 361ms");
  const auto gone = pump({&lb2}, [&] { return !host1.holds(vip_address); }, 2s);
  REQUIRE(gone);
  CHECK(*taken + *gone < 1200ms);
  CHECK(only_holder(host2));
}

TEST_CASE_METHOD(Pair, "a node that restarts in time goes on as master, and nobody notices", "[pair]") {
  settle();
  lb1.crash();
  pump_for({&lb2}, 100ms);
  lb1.start();
  CHECK(lb1.is_master());
  CHECK(lb1.status().reason.find("the previous process renewed the addresses") != std::string::npos);
  const std::string before = lb2.log;
  pump_for({&lb1, &lb2}, 1500ms);  // beyond the lease it found
  CHECK(only_holder(host1));
  CHECK(lb2.log == before);
}

TEST_CASE_METHOD(Pair, "a node that restarts too late keeps the address it finds until it hears the master", "[pair]") {
  settle();
  lb1.crash();
  REQUIRE(pump({&lb2}, [&] { return lb2.is_master(); }, 1s));
  lb1.specs[0].preempt = false;
  lb1.start();  // its old lease has most of a second left
  REQUIRE(host1.holds(vip_address));
  const auto given_up = pump({&lb1, &lb2}, [&] { return only_holder(host2); }, 1s);
  REQUIRE(given_up);
  CHECK(*given_up < 100ms + slack);
}

TEST_CASE_METHOD(Pair, "without preempt the lower priority stays master", "[pair]") {
  lb1.specs[0].preempt = false;
  lb2.start();
  REQUIRE(pump({&lb2}, [&] { return lb2.is_master(); }, 1s));
  lb1.start();
  pump_for({&lb1, &lb2}, 1s);
  CHECK(lb1.state() == vrrp::RouterState::backup);
  CHECK(only_holder(host2));
}

TEST_CASE_METHOD(Pair, "a master that loses its carrier yields, and returns when it is back", "[pair]") {
  settle();
  topology.cut(host1, "lan");
  const auto taken = pump({&lb1, &lb2}, [&] { return lb2.is_master(); }, 1s);
  REQUIRE(taken);
  CHECK(*taken < 300ms + skew_100 + slack);
  CHECK(lb1.status().reason == "link eth0 is down");
  CHECK(only_holder(host2));
  topology.restore(host1, "lan");
  CHECK(pump({&lb1, &lb2}, [&] { return only_holder(host1); }, 2s));
}

TEST_CASE_METHOD(Pair, "two masters that meet again after a split agree at once", "[pair]") {
  settle();
  topology.unplug(host1, "lan");
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb1.is_master() && lb2.is_master(); }, 1s));
  topology.plug_in(host1, "lan");
  const auto agreed = pump({&lb1, &lb2}, [&] { return only_holder(host1); }, 1s);
  REQUIRE(agreed);
  CHECK(*agreed < 100ms + slack);
}

TEST_CASE_METHOD(Pair, "an address deleted by hand, and an interface made anew, are served again", "[pair]") {
  settle();
  REQUIRE(lab::run(host1, {"ip", "address", "del", vip, "dev", "eth0"}).status == 0);
  const auto restored = pump({&lb1, &lb2}, [&] { return host1.holds(vip_address); }, 1s);
  REQUIRE(restored);
  CHECK(*restored < slack);

  REQUIRE(lab::run(host1, {"ip", "link", "delete", "eth0"}).status == 0);
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb2.is_master(); }, 1s));
  CHECK(lb1.status().reason == "there is no interface eth0");
  topology.connect(host1, "lan", "eth0", {"10.0.0.1/24"});
  CHECK(pump({&lb1, &lb2}, [&] { return only_holder(host1); }, 2s));
}

TEST_CASE_METHOD(Pair, "a node without an address of its own sleeps, and believes no stale adverts after", "[pair]") {
  settle();
  REQUIRE(lab::run(host1, {"ip", "address", "del", "10.0.0.1/24", "dev", "eth0"}).status == 0);
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb2.is_master(); }, 1s));
  CHECK(lb1.status().reason == "eth0 has no IPv4 address of its own yet");
  pump_for({&lb1, &lb2}, 300ms);  // adverts that nobody reads
  CHECK(lb1.turns_in(200ms) <= 3);
  lb2.crash();

  const auto heard = lb1.status().adverts.received;
  REQUIRE(lab::run(host1, {"ip", "address", "add", "10.0.0.1/24", "dev", "eth0"}).status == 0);
  REQUIRE(pump({&lb1}, [&] { return lb1.is_master(); }, 1s));
  CHECK(lb1.status().adverts.received == heard);
  lb2.start();
  CHECK(pump({&lb1, &lb2}, [&] { return only_holder(host1); }, 2s));
  pump_for({&lb1, &lb2}, 300ms);
  CHECK(only_holder(host1));
  CHECK(lb2.status().adverts.received > 0);
}

TEST_CASE_METHOD(Pair, "the neighbours learn at once where the address lives", "[pair]") {
  settle();
  const auto send_something = [&] { lab::run(neighbour, {"bash", "-c", "echo >/dev/udp/10.0.0.100/9"}); };
  const auto learned = [&] { return lab::run(neighbour, {"ip", "neighbour", "show", "10.0.0.100"}).text; };
  const auto mac_of = [&](const lab::Host& host) {
    const std::string text = lab::run(host, {"ip", "-o", "link", "show", "dev", "eth0"}).text;
    return text.substr(text.find("link/ether ") + std::string_view("link/ether ").size(), 17);
  };
  send_something();
  const std::string before = learned();
  CAPTURE(before, mac_of(host1));
  REQUIRE(before.find(mac_of(host1)) != std::string::npos);
  lb1.stop();
  REQUIRE(pump({&lb2}, [&] { return lb2.is_master(); }, 1s));
  pump_for({&lb2}, 20ms);
  CHECK(learned().find(mac_of(host2)) != std::string::npos);
}

TEST_CASE_METHOD(Lan, "a group moves together when one of its links is lost, and stays when it cannot know", "[pair]") {
  topology.add_network("back");
  topology.connect(host1, "back", "eth1", {"10.1.0.1/24"});
  topology.connect(host2, "back", "eth1", {"10.1.0.2/24"});
  const auto back_address = lab::address("10.1.0.100");
  const auto specs = [](std::uint8_t priority) {
    std::vector all = {spec("front", 51, priority, vip), spec("back", 52, priority, "10.1.0.100/24")};
    all[1].interface = "eth1";
    return all;
  };
  Node lb1(host1, specs(150), {{"front", "back"}});
  Node lb2(host2, specs(100), {{"front", "back"}});
  lb1.start();
  lb2.start();
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb1.is_master(0) && lb1.is_master(1); }, 1s));
  pump_for({&lb1, &lb2}, 200ms);
  REQUIRE(host1.holds(back_address));

  topology.cut(host1, "lan");  // the peer learns of it by the other link: no waiting for silence
  const auto moved = pump({&lb1, &lb2}, [&] { return host2.holds(vip_address) && host2.holds(back_address); }, 1s);
  REQUIRE(moved);
  CHECK(*moved < skew_100 + slack);
  CHECK_FALSE(host1.holds(back_address));
  CHECK(lb1.status(1).reason == "link eth0 is down");
  topology.restore(host1, "lan");
  REQUIRE(pump({&lb1, &lb2}, [&] { return host1.holds(vip_address) && host1.holds(back_address); }, 2s));
  pump_for({&lb1, &lb2}, 200ms);

  const std::string story = lb1.log + lb2.log;
  topology.unplug(host1, "lan");
  pump_for({&lb1, &lb2}, 1500ms);
  CHECK(lb1.log + lb2.log == story);
  CHECK(host1.holds(back_address));
  CHECK_FALSE(host2.holds(back_address));
}

TEST_CASE_METHOD(Lan, "unicast peers need no multicast and believe nobody else", "[pair]") {
  const auto unicast = [](std::uint8_t priority, const char* source, std::vector<std::string> peers) {
    vrrp::Spec all = spec("front", 51, priority, vip);
    all.unicast = vrrp::Unicast{.source = lab::address(source), .peers = {}};
    for (const auto& peer : peers) all.unicast->peers.push_back(lab::address(peer));
    return all;
  };
  Node lb1(host1, {unicast(150, "10.0.0.1", {"10.0.0.2"})});
  Node lb2(host2, {unicast(100, "10.0.0.2", {"10.0.0.1"})});
  Node stranger(neighbour, {unicast(200, "10.0.0.3", {"10.0.0.1", "10.0.0.2"})});
  lb1.start();
  lb2.start();
  stranger.start();
  REQUIRE(pump({&lb1, &lb2, &stranger}, [&] { return lb1.is_master() && stranger.is_master(); }, 1s));
  pump_for({&lb1, &lb2, &stranger}, 300ms);
  CHECK(lb1.is_master());
  CHECK(lb2.state() == vrrp::RouterState::backup);
  CHECK(lb1.status().adverts.rejected[std::to_underlying(vrrp::RejectReason::source)] >= 3);
}

TEST_CASE("IPv6: the address is there without waiting for duplicate detection, and leaves no route behind", "[pair]") {
  lab::Topology topology;
  topology.add_network("lan");
  std::vector<lab::Host*> hosts;
  for (const std::string name : {"lb1", "lb2"}) {
    hosts.push_back(&topology.add_host(name));
    topology.connect(*hosts.back(), "lan", "eth0", {"2001:db8::" + name.substr(2) + "/64"});
  }
  const auto routes = [&] { return lab::run(*hosts[0], {"ip", "-6", "route", "show", "dev", "eth0"}).text; };
  Node lb1(*hosts[0], {spec("front", 51, 150, "2001:db8::100/64")});
  Node lb2(*hosts[1], {spec("front", 51, 100, "2001:db8::100/64")});
  lb1.start();
  lb2.start();
  CHECK(lb1.status().reason == "eth0 has no link-local IPv6 address of its own yet");
  // Each waits for its own link-local address; the two need not get theirs at the same time.
  REQUIRE(pump({&lb1, &lb2}, [&] { return lb1.is_master() && lb2.state() == vrrp::RouterState::backup; }, 5s));
  const std::string before = routes();
  CHECK(before.find("expires") == std::string::npos);

  // The virtual address answers, and nothing is sent from it, even where it resembles the destination most.
  CHECK(hosts[0]->holds(lab::address("2001:db8::100")));
  const auto answer = lab::run(*hosts[1], {"timeout", "2", "bash", "-c", "echo 2>&1 >/dev/tcp/2001:db8::100/9"}).text;
  CHECK(answer.find("Connection refused") != std::string::npos);
  CHECK(lab::run(*hosts[0], {"ip", "-6", "route", "get", "2001:db8::101"}).text.find(" src 2001:db8::1 ") !=
        std::string::npos);

  lb1.crash();
  REQUIRE(pump({&lb2}, [&] { return lb2.is_master() && !hosts[0]->holds(lab::address("2001:db8::100")); }, 3s));
  CHECK(routes() == before);
}

TEST_CASE_METHOD(Lan, "without privileges the start says what is missing", "[pair]") {
  Node node(host1, {spec("front", 51, 100, vip)});
  REQUIRE(::seteuid(65534) == 0);
  net::KernelHost real;
  const auto wanted = vrrp::prepare(real, node.specs, {});
  const auto leases = net::Leases::open();
  REQUIRE(::seteuid(0) == 0);
  REQUIRE_FALSE(wanted);
  CHECK(wanted.error().message == "open a VRRP socket (this needs CAP_NET_RAW): Operation not permitted");
  REQUIRE_FALSE(leases);
  CHECK(leases.error().message == "change interface addresses (this needs CAP_NET_ADMIN): Operation not permitted");
}

TEST_CASE_METHOD(Lan, "routers that contradict their group are refused", "[pair]") {
  const auto error = [&](std::vector<vrrp::Spec> specs, std::vector<std::vector<std::string>> groups) {
    net::KernelHost real;
    const auto wanted = vrrp::prepare(real, std::move(specs), groups);
    return wanted ? "" : wanted.error().message;
  };
  const auto a = spec("a", 1, 100, "10.0.0.101/24");
  const auto b = spec("b", 2, 90, "10.0.0.102/24");
  CHECK(error({a}, {{"a", "c"}}) == "a sync group lists c, which is not a virtual router");
  CHECK(error({a}, {{"a"}, {"a"}}) == "vrrp a is in two sync groups");
  CHECK(error({a, b}, {{"a", "b"}}) ==
        "vrrp a and b are in one sync group: their priority, preempt, preempt_delay and advertise must be equal");
}
