// What a master puts on its interfaces beside plain addresses, on a real kernel: labels, scopes and routes.

#include <algorithm>

#include "net/route_table.h"
#include "test/interop/vrrp/lan.h"

using namespace vrrp_test;

namespace {

std::string ip(const lab::Host& host, std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  const auto output = lab::run(host, words);
  INFO(output.text);
  REQUIRE(output.status == 0);
  return output.text;
}

/// The routes of ours that a host's kernel has.
std::size_t routes_on(const lab::Host& host) {
  const lab::Within within(host.network);
  return net::RouteTable::open().value().own().value().size();
}

vrrp::VirtualRoute route(std::string_view to, std::string_view via, std::string_view source = "") {
  vrrp::VirtualRoute all{.to = lab::prefix(to), .via = lab::address(via)};
  if (!source.empty()) all.source = lab::address(source);
  return all;
}

/// lb1 and lb2 as one cluster file shows them to each other, with a route that follows the address.
struct Routed : Pair {
  Routed() {
    lb1.specs[0].peer_priorities = {100};
    lb2.specs[0].peer_priorities = {150};
    set_routes({route("0.0.0.0/0", "10.0.0.3", "10.0.0.100")});
  }
  void set_routes(const std::vector<vrrp::VirtualRoute>& routes) {
    for (Node* node : {&lb1, &lb2}) node->specs[0].routes = routes;
  }
  [[nodiscard]] std::optional<net::Duration> until(auto condition, net::Duration limit = 1s) {
    return pump({&lb1, &lb2}, condition, limit);
  }
};

}  // namespace

TEST_CASE_METHOD(Routed, "an address has its label and scope, and another of each after a reload", "[holdings]") {
  auto& address = lb1.specs[0].addresses[0];
  address.label = "web";
  address.scope = net::Scope::link;
  address.prefix.length = 32;  // the kernel wants one scope for all addresses of a network
  settle();
  CHECK(ip(host1, {"-4", "-o", "address", "show", "dev", "eth0"}).find("scope link dynamic eth0:web") !=
        std::string::npos);
  address.label = "shop";
  address.scope = net::Scope::site;
  lb1.update();
  CHECK(ip(host1, {"-4", "-o", "address", "show", "dev", "eth0"}).find("scope site dynamic eth0:shop") !=
        std::string::npos);
  pump_for({&lb1, &lb2}, 300ms);
  CHECK(only_holder(host1));
  CHECK(ip(host1, {"-4", "-o", "address", "show", "dev", "eth0"}).find("scope site dynamic eth0:shop") !=
        std::string::npos);
  CHECK(lb1.errors == "");
}

TEST_CASE_METHOD(Routed, "a route is where the address is, and in a handover never nowhere", "[holdings]") {
  settle();
  CHECK(ip(host1, {"route", "get", "192.0.2.1"}).starts_with("192.0.2.1 via 10.0.0.3 dev eth0 src 10.0.0.100"));
  CHECK(routes_on(host2) == 0);
  lb1.begin_to_stop();
  const auto handed_over = until([&] {
    CHECK(routes_on(host1) + routes_on(host2) >= 1);
    return only_holder(host2) && routes_on(host1) == 0;
  });
  REQUIRE(handed_over);
  CHECK(*handed_over < 20ms);
  CHECK(routes_on(host2) == 1);
  CHECK(lb1.errors + lb2.errors == "");
}

TEST_CASE_METHOD(Routed, "a route that somebody took away, or that fell with the link, is there again", "[holdings]") {
  settle();
  ip(host1, {"route", "del", "default", "proto", "112"});
  REQUIRE(routes_on(host1) == 0);
  const auto again = until([&] { return routes_on(host1) == 1; });
  REQUIRE(again);
  CHECK(*again < 100ms + slack);

  topology.cut(host1, "lan");
  REQUIRE(until([&] { return only_holder(host2); }));
  CHECK(routes_on(host1) == 0);
  CHECK(routes_on(host2) == 1);
  topology.restore(host1, "lan");
  REQUIRE(until([&] { return only_holder(host1); }, 2s));
  CHECK(routes_on(host1) == 1);
  CHECK(routes_on(host2) == 0);
}

TEST_CASE_METHOD(Routed, "routes by other tables, interfaces and metrics; a reload changes them in place",
                 "[holdings]") {
  topology.add_network("back");
  topology.connect(host1, "back", "eth1", {"10.1.0.1/24"});
  topology.connect(host2, "back", "eth1", {"10.1.0.2/24"});
  auto by_table = route("0.0.0.0/0", "10.0.0.3", "10.0.0.100");
  by_table.table = 1000;
  auto by_back = route("192.168.0.0/16", "10.1.0.3");
  by_back.interface = "eth1";
  by_back.metric = 7;
  const vrrp::VirtualRoute on_link{.to = lab::prefix("172.16.0.0/12"), .interface = "eth1", .scope = net::Scope::link};
  set_routes({by_table, by_back, on_link});
  settle();
  CHECK(ip(host1, {"route", "show", "table", "1000"}).starts_with("default via 10.0.0.3 dev eth0 proto 112 src 10.0"));
  CHECK(ip(host1, {"route", "show", "to", "192.168.0.0/16"}) ==
        "192.168.0.0/16 via 10.1.0.3 dev eth1 proto 112 metric 7 \n");
  CHECK(ip(host1, {"route", "show", "to", "172.16.0.0/12"}) == "172.16.0.0/12 dev eth1 proto 112 scope link \n");
  CHECK(to_string(by_table) == "default via 10.0.0.3 src 10.0.0.100 table 1000");
  CHECK(to_string(by_back) == "192.168.0.0/16 via 10.1.0.3 dev eth1 metric 7");

  by_back.via = lab::address("10.1.0.4");
  set_routes({by_back});
  lb1.update();
  CHECK(routes_on(host1) == 1);
  CHECK(ip(host1, {"route", "show", "to", "192.168.0.0/16"}) ==
        "192.168.0.0/16 via 10.1.0.4 dev eth1 proto 112 metric 7 \n");
  CHECK(lb1.errors == "");
}

TEST_CASE_METHOD(Routed, "a route goes before the host's own to the same place, which is there again after",
                 "[holdings]") {
  ip(host1, {"route", "add", "default", "via", "10.0.0.2"});
  settle();
  CHECK(ip(host1, {"route", "get", "192.0.2.1"}).find("via 10.0.0.3") != std::string::npos);
  lb1.begin_to_stop();
  REQUIRE(until([&] { return only_holder(host2); }));
  CHECK(ip(host1, {"route", "get", "192.0.2.1"}).find("via 10.0.0.2") != std::string::npos);
}

TEST_CASE_METHOD(Routed, "a route that cannot be set is told of, tried again, and costs no role", "[holdings]") {
  auto elsewhere = route("192.168.0.0/16", "10.9.0.1");
  auto by_missing = route("172.16.0.0/12", "10.1.0.3");
  by_missing.interface = "eth1";
  set_routes({elsewhere, by_missing, route("0.0.0.0/0", "10.0.0.3")});
  settle();
  CHECK(routes_on(host1) == 1);
  CHECK(lb1.status().problem == "set the route 172.16.0.0/12 via 10.1.0.3 dev eth1: there is no interface eth1");
  set_routes({elsewhere});
  lb1.update();
  pump_for({&lb1, &lb2}, 300ms);
  CHECK(lb1.status().problem == "set the route to 192.168.0.0/16: Nexthop has invalid gateway");
  CHECK(lb1.is_master());
  ip(host1, {"address", "add", "10.9.0.2/24", "dev", "eth0"});
  REQUIRE(until([&] { return routes_on(host1) == 1; }));
  CHECK(lb1.status().problem == "");
}

TEST_CASE_METHOD(Routed, "of a dead master the kernel takes a route by its source, and the next life the rest",
                 "[holdings]") {
  auto by_table = route("0.0.0.0/0", "10.0.0.3", "10.0.0.100");
  by_table.table = 1000;
  set_routes({route("0.0.0.0/0", "10.0.0.3", "10.0.0.100"), route("192.168.0.0/16", "10.0.0.3"), by_table});
  settle();
  REQUIRE(routes_on(host1) == 3);
  lb1.crash();
  REQUIRE(pump({&lb2}, [&] { return only_holder(host2); }, 2s));
  CHECK(ip(host1, {"route", "show", "default"}) == "");
  CHECK(routes_on(host1) == 2);  // that without a source, and that of another table

  lb1.specs[0].preempt = false;
  lb1.start();
  REQUIRE(until([&] { return routes_on(host1) == 0; }));
  CHECK(lb1.state() == vrrp::RouterState::backup);

  lb2.stop();
  REQUIRE(until([&] { return lb1.is_master() && routes_on(host1) == 3; }));
  lb1.crash();
  set_routes({});
  lb1.start();
  CHECK(lb1.is_master());  // in time
  CHECK(routes_on(host1) == 0);
}

TEST_CASE_METHOD(Lan, "IPv6 routes are leases as the addresses are", "[holdings]") {
  topology.add_network("six");
  for (auto* host : {&host1, &host2}) {
    host->sysctl("ipv6/conf/default/accept_dad", "0");
    topology.connect(*host, "six", "eth1", {host == &host1 ? "2001:db8::1/64" : "2001:db8::2/64"});
  }
  const auto six = [](std::uint8_t priority) {
    vrrp::Spec all = spec("six", 51, priority, "2001:db8::100/64");
    all.interface = "eth1";
    all.routes = {route("::/0", "2001:db8::3", "2001:db8::100"), route("2001:db8:9::/48", "fe80::3")};
    all.routes[1].table = 1000;
    return all;
  };
  Node lb1(host1, {six(150)});
  Node lb2(host2, {six(100)});
  lb1.start();
  REQUIRE(pump({&lb1}, [&] { return lb1.is_master(); }, 3s));
  pump_for({&lb1}, 2500ms);  // beyond the first lease
  CHECK(ip(host1, {"-6", "route", "get", "2001:db8:7::1"}).find("src 2001:db8::100") != std::string::npos);
  CHECK(ip(host1, {"-6", "route", "show", "table", "1000"}).find("via fe80::3 dev eth1 proto 112") == 16);
  lb2.start();
  pump_for({&lb1, &lb2}, 300ms);
  CHECK(routes_on(host2) == 0);
  lb1.crash();
  REQUIRE(pump({&lb2}, [&] { return lb2.is_master() && !host1.holds(lab::address("2001:db8::100")); }, 3s));
  pump_for({&lb2}, 200ms);
  CHECK(lab::run(host1, {"ip", "-6", "route", "get", "2001:db8:7::1"}).status != 0);
  CHECK(lab::run(host1, {"ip", "-6", "route", "get", "2001:db8:9::1"}).status != 0);
  CHECK(routes_on(host2) == 2);
  CHECK(lb1.errors + lb2.errors == "");
}
