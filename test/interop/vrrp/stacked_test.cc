// Virtual routers on interfaces that stand on others: VLANs, bonds, macvlans. Each loses its link with what carries it.

#include <fmt/format.h>

#include <sstream>

#include "test/interop/vrrp/lan.h"

using namespace vrrp_test;

namespace {

constexpr auto master_down = 300ms + skew_100;

/// `ip` with these words.
void ip(const lab::Host& host, const std::string& words) {
  std::istringstream in("ip " + words);
  const auto output = lab::run(host, {std::istream_iterator<std::string>(in), {}});
  INFO(host.name << ": ip " << words << ": " << output.text);
  REQUIRE(output.status == 0);
}

/// lb1 and lb2 with two legs without addresses in one network, whose two halves another host joins.
struct Bare {
  lab::Topology topology;
  lab::Host& host1 = topology.add_host("lb1");
  lab::Host& host2 = topology.add_host("lb2");
  lab::Host& joint = topology.add_host("joint");

  Bare() {
    ip(joint, "link add br0 type bridge");
    ip(joint, "link set br0 up");
    for (const std::string leg : {"0", "1"}) {
      topology.add_network("lan" + leg);
      for (lab::Host* host : {&host1, &host2, &joint}) topology.connect(*host, "lan" + leg, "eth" + leg, {});
      ip(joint, "link set eth" + leg + " master br0");
    }
  }
};

/// A node on each of the two, with the virtual router on `interface`, which `stack` makes.
template <class Stack>
struct Stacked : Bare {
  Stacked() {
    for (lab::Host* host : {&host1, &host2}) {
      stack(*host);
      ip(*host, fmt::format("link set {} up", stack.interface));
      ip(*host, fmt::format("address add 10.7.0.{}/24 dev {}", host->name.back(), stack.interface));
    }
    lb1.start();
    lb2.start();
    // A bond finds its carrier a little later.
    const auto settled = [&] { return lb1.is_master() && lb2.state() == vrrp::RouterState::backup; };
    if (!until(settled, 3s)) FAIL(lb1.log + lb1.errors + lb2.log + lb2.errors);
    until([] { return false; }, 150ms);
    REQUIRE(settled());
  }

  static vrrp::Spec on_stack(std::uint8_t priority) {
    vrrp::Spec all = spec("front", 51, priority, "10.7.0.100/24");
    all.interface = Stack::interface;
    return all;
  }
  std::optional<net::Duration> until(auto condition, net::Duration limit) {
    return pump({&lb1, &lb2}, condition, limit);
  }
  [[nodiscard]] bool only(const lab::Host& host) const {
    const auto address = lab::address("10.7.0.100");
    return host.holds(address) && !(&host == &host1 ? host2 : host1).holds(address);
  }

  /// `lose` takes lb1's link away: lb2 takes over in time, and lb1 knows why; `regain` gives it back, and the role.
  void fails_over(auto lose, auto regain) {
    lose();
    const auto taken = until([&] { return only(host2); }, 2s);
    if (!taken) FAIL(lb1.log + lb2.log);
    CHECK(*taken < master_down + slack);
    CHECK(lb1.status().reason == fmt::format("link {} is down", Stack::interface));
    regain();
    if (!until([&] { return only(host1); }, 3s)) FAIL(lb1.log + lb1.errors + lb1.status().reason);
    until([] { return false; }, 300ms);
    CHECK(only(host1));
    CHECK(lb1.errors + lb2.errors == "");
  }

  Stack stack;
  Node lb1{host1, {on_stack(150)}};
  Node lb2{host2, {on_stack(100)}};
};

struct Vlan {
  static constexpr auto interface = "eth0.7";
  void operator()(lab::Host& host) const { ip(host, "link add link eth0 name eth0.7 type vlan id 7"); }
};

struct Macvlan {
  static constexpr auto interface = "mac0";
  void operator()(lab::Host& host) const { ip(host, "link add link eth0 name mac0 type macvlan mode private"); }
};

/// Of eth0 and eth1, one of which is in use.
struct Bond {
  static constexpr auto interface = "bond0";
  void operator()(lab::Host& host) const {
    ip(host, "link add bond0 type bond mode active-backup miimon 10");
    for (const char* slave : {"eth0", "eth1"}) {
      ip(host, fmt::format("link set {} down", slave));
      ip(host, fmt::format("link set {} master bond0", slave));
    }
    ip(host, "link set bond0 up");
  }
};

struct VlanOnBond {
  static constexpr auto interface = "bond0.7";
  void operator()(lab::Host& host) const {
    Bond()(host);
    ip(host, "link add link bond0 name bond0.7 type vlan id 7");
  }
};

}  // namespace

TEST_CASE_METHOD(Stacked<Vlan>, "on a VLAN: its lower link goes, by the cable and by the operator", "[stacked]") {
  fails_over([&] { topology.cut(host1, "lan0"); }, [&] { topology.restore(host1, "lan0"); });
  fails_over([&] { ip(host1, "link set eth0 down"); }, [&] { ip(host1, "link set eth0 up"); });
}

TEST_CASE_METHOD(Stacked<Vlan>, "on a VLAN that is deleted and made anew", "[stacked]") {
  ip(host1, "link delete eth0.7");
  REQUIRE(until([&] { return only(host2); }, 1s));
  CHECK(lb1.status().reason == "there is no interface eth0.7");
  stack(host1);
  ip(host1, "link set eth0.7 up");
  ip(host1, "address add 10.7.0.1/24 dev eth0.7");
  CHECK(until([&] { return only(host1); }, 2s));
}

TEST_CASE_METHOD(Stacked<Macvlan>, "on a macvlan: its lower link goes, by the cable and by the operator", "[stacked]") {
  fails_over([&] { topology.cut(host1, "lan0"); }, [&] { topology.restore(host1, "lan0"); });
  fails_over([&] { ip(host1, "link set eth0 down"); }, [&] { ip(host1, "link set eth0 up"); });
}

TEST_CASE_METHOD(Stacked<Bond>, "on a bond: a slave's loss is nobody's concern, the last one's is", "[stacked]") {
  const std::string before = lb1.log + lb2.log;
  for (const char* leg : {"lan0", "lan1"}) {
    topology.cut(host1, leg);
    CHECK_FALSE(until([&] { return !only(host1); }, 1s));
    topology.restore(host1, leg);
    until([] { return false; }, 200ms);
  }
  CHECK(lb1.log + lb2.log == before);
  const auto both = [&](auto turn) {
    return [&, turn] {
      for (const char* leg : {"lan0", "lan1"}) turn(leg);
    };
  };
  fails_over(both([&](const char* leg) { topology.cut(host1, leg); }),
             both([&](const char* leg) { topology.restore(host1, leg); }));
}

TEST_CASE_METHOD(Stacked<VlanOnBond>, "on a VLAN of a bond that loses its last slave", "[stacked]") {
  topology.cut(host1, "lan0");
  CHECK_FALSE(until([&] { return !only(host1); }, 1s));
  fails_over([&] { topology.cut(host1, "lan1"); }, [&] { topology.restore(host1, "lan1"); });
}
