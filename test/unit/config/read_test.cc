#include <catch2/catch.hpp>

#include "config/load.h"
#include "test/unit/config/corpus.h"

using namespace std::chrono_literals;
using net::Endpoint;

namespace {

config::Cluster cluster_of(const std::string& text) {
  const auto loaded = config::load_text("text", text);
  if (!loaded) FAIL(to_string(loaded.error()));
  CHECK(to_string(loaded->warnings) == "");
  return loaded->cluster;
}

config::Service service_of(const std::string& lines) {
  return cluster_of("cluster: c\nservices:\n  s:\n" + lines).services.at(0);
}

constexpr auto minimal = "    listen: 192.0.2.10:80\n    servers: { a: { address: 10.0.0.1 } }\n";

}  // namespace

TEST_CASE("the cluster file of the design is read as it says") {
  const auto cluster = cluster_of(corpus::text_of(std::filesystem::path(EXAMPLES_DIR) / "shop.yaml"));
  CHECK(cluster.name == "shop");
  REQUIRE(cluster.nodes.size() == 2);
  CHECK(cluster.nodes[0].name == "lb1");
  CHECK(to_string(cluster.nodes[0].address) == "192.168.56.11");
  CHECK(cluster.nodes[0].priority == 150);
  CHECK(cluster.nodes[1].priority == 100);

  REQUIRE(cluster.virtual_routers.size() == 2);
  const auto& front = cluster.virtual_routers[0];
  CHECK(front.name == "front");
  CHECK(front.router_id == 51);
  CHECK(front.interfaces == std::map<std::string, std::string>{{"lb1", "enp0s3"}, {"lb2", "enp0s3"}});
  CHECK(front.addresses == std::vector{*net::Prefix::parse("192.168.56.10/24")});
  CHECK(front.advertise == 1s);
  CHECK(front.preempt);
  CHECK_FALSE(front.unicast);
  CHECK(cluster.groups == std::vector<std::vector<std::string>>{{"front", "back"}});
  REQUIRE(cluster.connection_sync);
  CHECK(cluster.connection_sync->interfaces.at("lb2") == "enp0s8");
  CHECK(cluster.connection_sync->id == 1);

  REQUIRE(cluster.services.size() == 1);
  const auto& web = cluster.services[0];
  CHECK(to_string(web.key) == "tcp 192.168.56.10:80");
  CHECK(web.spec == ipvs::Service{.scheduler = "wrr", .persistence = 300s, .persistence_engine = ""});
  CHECK(web.forward == ipvs::Forward::nat);
  CHECK(web.checks == std::vector{checkers::Spec{.kind = checkers::Http{.path = "/health", .host = "", .status = {200}},
                                                 .interval = 2s,
                                                 .timeout = 1s,
                                                 .thresholds = {.rise = 2, .fall = 3}}});
  CHECK(web.on_failure == config::OnFailure::drain);
  REQUIRE(web.servers.size() == 2);
  CHECK(web.servers[0].name == "web1");
  CHECK(to_string(web.servers[0].endpoint) == "192.168.200.11:80");
  CHECK(web.servers[0].weight == 3);
  CHECK(web.servers[1].weight == 1);
  CHECK(web.fallback == Endpoint::parse("192.168.200.99:80"));
}

TEST_CASE("what a service leaves out has the default") {
  const auto service = service_of(minimal);
  CHECK(service.spec == ipvs::Service{.persistence_engine = ""});
  CHECK(service.forward == ipvs::Forward::nat);
  CHECK(service.checks.empty());
  CHECK(service.on_failure == config::OnFailure::drain);
  CHECK_FALSE(service.fallback);
}

TEST_CASE("a server's port is the service's unless it says otherwise") {
  const auto service = service_of(
      "    listen: udp://192.0.2.10:53\n    servers: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2:5353 } }\n"
      "    fallback: 10.0.0.9\n");
  CHECK(to_string(service.key) == "udp 192.0.2.10:53");
  CHECK(to_string(service.servers[0].endpoint) == "10.0.0.1:53");
  CHECK(to_string(service.servers[1].endpoint) == "10.0.0.2:5353");
  CHECK(service.fallback == Endpoint::parse("10.0.0.9:53"));
}

TEST_CASE("a marked service has the family of its servers") {
  const auto v4 = service_of("    fwmark: 4294967295\n    servers: { a: { address: 10.0.0.1 } }\n");
  CHECK(v4.key == ipvs::ServiceKey{.protocol = ipvs::Protocol::none, .endpoint = {}, .fwmark = 4294967295});
  const auto v6 = service_of("    fwmark: 5\n    servers: { a: { address: '2001:db8::1' } }\n");
  CHECK(v6.key.family() == net::Family::ipv6);
}

TEST_CASE("statuses are one, a range, or a list of both") {
  const auto statuses = [](const std::string& value) {
    const auto service = service_of(minimal + ("    check: { http: { expect: { status: " + value + " } } }\n"));
    return std::get<checkers::Http>(service.checks.at(0).kind).status;
  };
  CHECK(statuses("204") == std::set<std::uint16_t>{204});
  CHECK(statuses("200-202") == std::set<std::uint16_t>{200, 201, 202});
  CHECK(statuses("\"200-201\"") == std::set<std::uint16_t>{200, 201});
  CHECK(statuses("[200, 301-302]") == std::set<std::uint16_t>{200, 301, 302});
}

TEST_CASE("several checks are a list") {
  const auto service = service_of(minimal + std::string("    checks: [{ tcp: {} }, { http: {}, interval: 5s }]\n"));
  REQUIRE(service.checks.size() == 2);
  CHECK(service.checks[0] == checkers::Spec{});
  CHECK(service.checks[1] == checkers::Spec{.kind = checkers::Http{}, .interval = 5s});
}

TEST_CASE("an interface may differ from node to node") {
  const auto cluster = cluster_of(corpus::text_of(corpus::folder("good") / "interfaces-by-node.yaml"));
  using Interfaces = std::map<std::string, std::string>;
  CHECK(cluster.virtual_routers[1].interfaces == Interfaces{{"lb1", "eth1"}, {"lb2", "ens4"}});
  CHECK(cluster.connection_sync->interfaces == Interfaces{{"lb1", "eth1"}, {"lb2", "ens4"}});
}

TEST_CASE("a file that cannot be read says why") {
  const auto said = [](const std::string& path) {
    const auto loaded = config::load(path);
    return loaded ? "read" : to_string(loaded.error());
  };
  CHECK(said("/nonexistent/cluster.yaml") ==
        "/nonexistent/cluster.yaml: error: cannot be read: No such file or directory\n");
  CHECK(said("/") == "/: error: is a directory; expected a file\n");
  CHECK(said("/dev/null") == "/dev/null: error: is no regular file\n");
}
