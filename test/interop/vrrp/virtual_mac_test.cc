// Virtual routers with an Ethernet address of their own, on a real kernel: what the neighbours see of it, and what is
// left of it on the nodes.

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "test/interop/vrrp/capture.h"
#include "test/interop/vrrp/lan.h"
#include "test/lab/http.h"

using namespace vrrp_test;

namespace {

const std::string mac = "00:00:5e:00:01:33";

std::string ip(const lab::Host& host, std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  return lab::run(host, words).text;
}

std::string setting(const lab::Host& host, const std::string& name) {
  return lab::run(host, {"cat", "/proc/sys/net/ipv4/conf/" + name}).text;
}

/// Whether whoever holds the address answers a host, if only that nobody listens there, while the nodes go on. The
/// second question, a second later, may be the one that is answered: when the lease of a dead master ends, its kernel
/// tells that it leaves an IPv6 address's multicast group, and the switch sends what is for the virtual MAC there until
/// the living one's next advert.
bool is_answered(const lab::Host& host, const std::string& address, std::initializer_list<Node*> nodes) {
  const net::Fd socket = [&] {
    const lab::Within within(host.network);
    return lab::start_connecting({lab::address(address), 9});
  }();
  pollfd ended{.fd = socket.get(), .events = POLLOUT, .revents = 0};
  int error = 0;
  socklen_t size = sizeof error;
  return pump(
             nodes, [&] { return poll(&ended, 1, 0) == 1; }, std::chrono::milliseconds(2500)) &&
         getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNREFUSED;
}

/// lb1 and lb2 as one cluster file shows them to each other, with strict reverse paths.
struct Virtual : Pair {
  Virtual() {
    for (Node* node : {&lb1, &lb2}) {
      node->specs[0].virtual_mac = true;
      node->specs[0].peer_priorities = {static_cast<std::uint8_t>(node == &lb1 ? 100 : 150)};
      node->host.sysctl("ipv4/conf/all/rp_filter", "1");
    }
  }
  std::optional<net::Duration> until(auto condition, net::Duration limit = 1s) {
    return pump({&lb1, &lb2}, condition, limit);
  }
  [[nodiscard]] bool answers() { return is_answered(neighbour, "10.0.0.100", {&lb1, &lb2}); }
  [[nodiscard]] std::string holder(const lab::Host& host) const { return ip(host, {"-o", "link", "show", "vrrp4.51"}); }
};

}  // namespace

TEST_CASE_METHOD(Virtual, "the neighbours know one Ethernet address through crash, return and handover", "[mac]") {
  settle();
  Capture capture(neighbour);
  const auto known = [&] {
    const auto entry = ip(neighbour, {"neighbour", "show", "10.0.0.100"});
    return entry.find("lladdr " + mac) != std::string::npos;
  };
  CHECK(answers());
  CHECK(known());
  lb1.crash();
  REQUIRE(until([&] { return only_holder(host2); }, 2s));
  CHECK(known());
  CHECK(answers());
  lb1.start();
  REQUIRE(until([&] { return only_holder(host1); }, 2s));
  CHECK(answers());
  REQUIRE(lb1.routers().hand_over("front"));
  REQUIRE(until([&] { return only_holder(host2); }));
  CHECK(answers());
  CHECK(known());
  ip(neighbour, {"neighbour", "flush", "all"});  // and who asks anew hears of no other
  CHECK(answers());
  CHECK(known());
  CHECK(lb1.errors + lb2.errors == "");

  lab::sleep_for(50ms);
  capture.finish();
  const std::string any = "vrrp.v3_checksum_as_in_v2:FALSE";
  const auto adverts = capture.packets("vrrp", {"eth.src", "vrrp.checksum.status"}, any);
  CHECK(adverts.size() > 10);
  // But the last word of lb2 when lb1 had returned.
  CHECK(std::ranges::count(adverts, mac + " 1") + 1 == std::ssize(adverts));
  const auto arps = capture.packets("arp.src.proto_ipv4 == 10.0.0.100", {"eth.src", "arp.src.hw_mac"}, any);
  CHECK(arps.size() >= 8);
  for (const auto& line : arps) CHECK(line == mac + " " + mac);
  CHECK(capture
            .packets("arp.src.proto_ipv4 == 10.0.0.100 && arp.opcode == 2 && eth.dst != ff:ff:ff:ff:ff:ff",
                     {"frame.number"}, any)
            .size() >= 2);  // answers to who asked, before and after
}

TEST_CASE_METHOD(Virtual, "its interface comes with the role, rests without it, and goes with the router", "[mac]") {
  settle();
  CHECK(holder(host1).find("UP") != std::string::npos);
  CHECK(holder(host2).find("state DOWN") != std::string::npos);
  CHECK(setting(host1, "eth0/arp_ignore") == "1\n");
  CHECK(ip(host1, {"-o", "address", "show", "dev", "eth0"}).find("10.0.0.100") == std::string::npos);
  lb1.begin_to_stop();
  REQUIRE(until([&] { return only_holder(host2); }));
  pump_for({&lb1, &lb2}, 100ms);
  CHECK(holder(host1).find("does not exist") != std::string::npos);
  CHECK(setting(host1, "eth0/arp_ignore") == "0\n");
  CHECK(setting(host1, "eth0/arp_announce") == "0\n");

  lb2.specs[0].virtual_mac = false;  // by a reload; the role was lb2's alone
  lb2.update();
  REQUIRE(until([&] { return lb2.is_master() && host2.holds(vip_address); }, 2s));
  CHECK(holder(host2).find("does not exist") != std::string::npos);
  CHECK(lb1.errors + lb2.errors == "");
}

TEST_CASE_METHOD(Virtual, "a restart in time goes on with the same interface, and a dead node lets go of it", "[mac]") {
  settle();
  const auto before = holder(host1).substr(0, 20);
  const auto log = lb2.log;
  lb1.crash();
  pump_for({&lb2}, 100ms);
  lb1.start();
  CHECK(lb1.is_master());
  pump_for({&lb1, &lb2}, 1500ms);
  CHECK(only_holder(host1));
  CHECK(holder(host1).substr(0, 20) == before);
  CHECK(lb2.log == log);

  lb1.crash();
  REQUIRE(pump({&lb2}, [&] { return only_holder(host2); }, 2s));  // by the end of the lease
  lb1.specs[0].preempt = false;
  lb1.start();
  REQUIRE(until([&] { return holder(host1).find("state DOWN") != std::string::npos; }));
  CHECK(lb1.state() == vrrp::RouterState::backup);
}

TEST_CASE_METHOD(Virtual, "two masters with one Ethernet address hear each other when a split heals", "[mac]") {
  settle();
  topology.unplug(host1, "lan");
  REQUIRE(until([&] { return lb1.is_master() && lb2.is_master(); }));
  topology.plug_in(host1, "lan");
  const auto agreed = until([&] { return only_holder(host1); });
  REQUIRE(agreed);
  CHECK(*agreed < 100ms + slack);
  CHECK(answers());
}

TEST_CASE_METHOD(Virtual, "an interface taken away by hand is made again; a stranger's of its name is a fault",
                 "[mac]") {
  settle();
  ip(host1, {"link", "delete", "vrrp4.51"});
  const auto again = until([&] { return host1.holds(vip_address); });
  REQUIRE(again);
  CHECK(*again < slack);
  CHECK(answers());
  lb1.begin_to_stop();
  REQUIRE(until([&] { return only_holder(host2); }));
  pump_for({&lb1, &lb2}, 50ms);
  lb1.crash();
  ip(host1, {"link", "add", "vrrp4.51", "type", "dummy"});
  lb1.start();
  pump_for({&lb1, &lb2}, 300ms);
  CHECK(lb1.status().reason == "create the interface vrrp4.51: another interface has that name");
  CHECK(lb1.state() == vrrp::RouterState::initialize);
  CHECK(only_holder(host2));
}

TEST_CASE_METHOD(Lan, "an IPv6 virtual router with an Ethernet address of its own", "[mac]") {
  topology.add_network("six");
  for (auto* host : {&host1, &host2, &neighbour}) {
    host->sysctl("ipv6/conf/default/accept_dad", "0");
    topology.connect(*host, "six", "eth1",
                     {"2001:db8::" + std::to_string(host == &neighbour ? 3 : host->name.back() - '0') + "/64"});
  }
  const auto six = [](std::uint8_t priority) {
    vrrp::Spec all = spec("six", 61, priority, "fe80::100/64");
    all.addresses.emplace_back(lab::prefix("2001:db8::100/64"));
    all.interface = "eth1";
    all.virtual_mac = true;
    return all;
  };
  Node lb1(host1, {six(150)}), lb2(host2, {six(100)});
  lb1.start();
  REQUIRE(pump({&lb1}, [&] { return lb1.is_master(); }, 3s));
  lb2.start();
  pump_for({&lb1, &lb2}, 500ms);
  CHECK(lb2.state() == vrrp::RouterState::backup);
  const auto answers = [&] { return is_answered(neighbour, "2001:db8::100", {&lb1, &lb2}); };
  const auto known = [&] {
    return ip(neighbour, {"neighbour", "show", "2001:db8::100"}).find("lladdr 00:00:5e:00:02:3d") != std::string::npos;
  };
  CHECK(answers());
  CHECK(known());
  CHECK(ip(host1, {"-o", "address", "show", "dev", "vrrp6.61", "scope", "link"}).find("fe80::100") !=
        std::string::npos);
  CHECK(ip(host1, {"-o", "address", "show", "dev", "vrrp6.61"}).find("5eff") ==
        std::string::npos);  // none of its making
  lb1.crash();
  REQUIRE(pump({&lb2}, [&] { return lb2.is_master() && !host1.holds(lab::address("2001:db8::100")); }, 3s));
  CHECK(answers());
  CHECK(known());
  CHECK(lb1.errors + lb2.errors == "");
}
