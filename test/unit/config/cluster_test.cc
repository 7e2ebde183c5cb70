#include "config/cluster.h"
#include "test/catch.h"

using config::Cluster;
using config::Node;
using net::Address;

namespace {

Cluster cluster_of(const std::vector<std::string>& names) {
  Cluster cluster;
  for (std::uint8_t i = 0; i < names.size(); ++i) {
    const std::array bytes = {std::byte{192}, std::byte{0}, std::byte{2}, std::byte{static_cast<unsigned char>(i + 1)}};
    cluster.nodes.push_back({.name = names[i], .address = *Address::from_bytes(bytes), .priority = 100});
  }
  return cluster;
}

std::string chosen(const Cluster& cluster, std::string_view asked, std::string_view host_name) {
  const auto node = this_node(cluster, asked, host_name);
  return node ? node->name : node.error().message;
}

}  // namespace

TEST_CASE("a host finds itself among the nodes") {
  const auto cluster = cluster_of({"lb1", "lb2.example.com", "lb3"});
  CHECK(chosen(cluster, "lb3", "lb1") == "lb3");
  CHECK(chosen(cluster, "", "lb1") == "lb1");
  CHECK(chosen(cluster, "", "lb1.example.com") == "lb1");
  CHECK(chosen(cluster, "", "lb2") == "lb2.example.com");
  CHECK(chosen(cluster, "", "LB2.Example.org") == "lb2.example.com");
  CHECK(chosen(cluster, "", "lb2.example.com") == "lb2.example.com");
  CHECK(chosen(cluster_of({"lb.a", "lb.b"}), "", "LB.B") == "lb.b");
  CHECK(chosen(cluster_of({}), "", "anything") == "anything");
  CHECK(chosen(cluster_of({}), "", "any\nthing") == "any\\nthing");
}

TEST_CASE("a host that is none of the nodes is told which there are") {
  const auto cluster = cluster_of({"lb1", "lb2"});
  CHECK(chosen(cluster, "lb9", "lb1") == "node 'lb9' is not in the cluster file; its nodes are lb1, lb2");
  CHECK(chosen(cluster, "", "web1") ==
        "host 'web1' is not a node of the cluster file; its nodes are lb1, lb2; select one with --node");
  CHECK(chosen(cluster_of({}), "lb1", "lb1") == "node 'lb1': the cluster file has no nodes");
  CHECK(chosen(cluster, "", "web\x1b[2J").starts_with("host 'web\\x1b[2J' is not a node"));
  // Neither is the one that is meant for certain.
  CHECK(chosen(cluster_of({"lb.a", "lb.b"}), "", "lb.c").starts_with("host 'lb.c' is not a node"));
}

TEST_CASE("a virtual router is seen from a node") {
  auto cluster = cluster_of({"lb1", "lb2", "lb3"});
  cluster.nodes[1].priority = 150;
  const config::VirtualRouter router = {.name = "front",
                                        .router_id = 51,
                                        .interfaces = {{"lb1", "eth0"}, {"lb2", "eth1"}, {"lb3", "eth2"}},
                                        .addresses = {*net::Prefix::parse("192.0.2.10/24")},
                                        .advertise = std::chrono::milliseconds(250),
                                        .preempt = {.allowed = false, .after = {}},
                                        .unicast = true};
  CHECK(spec_for(cluster, router, cluster.nodes[1]) ==
        vrrp::Spec{.name = "front",
                   .router_id = 51,
                   .interface = "eth1",
                   .addresses = {*net::Prefix::parse("192.0.2.10/24")},
                   .priority = 150,
                   .advertise = std::chrono::milliseconds(250),
                   .preempt = false,
                   .peer_priorities = {100, 100},
                   .peer_addresses = {*Address::parse("192.0.2.1"), *Address::parse("192.0.2.3")},
                   .unicast = vrrp::Unicast{.source = *Address::parse("192.0.2.2"),
                                            .peers = {*Address::parse("192.0.2.1"), *Address::parse("192.0.2.3")}}});
  auto multicast = router;
  multicast.unicast = false;
  CHECK_FALSE(spec_for(cluster, multicast, cluster.nodes[0]).unicast);
}

TEST_CASE("a virtual router's own priority stands over the node's, its peers' too") {
  auto cluster = cluster_of({"lb1", "lb2", "lb3"});
  cluster.nodes[0].priority = 150;
  config::VirtualRouter router;
  for (const auto& node : cluster.nodes) router.interfaces[node.name] = "eth0";
  router.addresses = {*net::Prefix::parse("192.0.2.10/24")};
  router.priorities = {{"lb1", 50}, {"lb3", 200}};
  const auto on = [&](std::size_t node) { return spec_for(cluster, router, cluster.nodes[node]); };
  CHECK(on(0).priority == 50);
  CHECK(on(0).peer_priorities == std::vector<std::uint8_t>{100, 200});
  CHECK(on(1).priority == 100);
  CHECK(on(1).peer_priorities == std::vector<std::uint8_t>{50, 200});
  CHECK(on(2).priority == 200);
  router.priorities.clear();
  CHECK(on(0).priority == 150);
}

TEST_CASE("preemption waits as the file says, or until connections are synchronised") {
  auto cluster = cluster_of({"lb1", "lb2"});
  config::VirtualRouter router;
  router.interfaces = {{"lb1", "eth0"}, {"lb2", "eth0"}};
  router.addresses = {*net::Prefix::parse("192.0.2.10/24")};
  const auto delay = [&] { return spec_for(cluster, router, cluster.nodes[0]).preempt_delay; };
  CHECK(delay() == std::chrono::seconds(0));
  cluster.connection_sync = config::ConnectionSync{};
  CHECK(delay() == std::chrono::seconds(3));
  router.preempt.after = std::chrono::seconds(30);
  CHECK(delay() == std::chrono::seconds(30));
}
