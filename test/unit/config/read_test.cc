#include <fmt/format.h>
#include <unistd.h>

#include "config/file.h"
#include "config/load.h"
#include "test/catch.h"
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
  CHECK(front.addresses == std::vector<vrrp::VirtualAddress>{*net::Prefix::parse("192.168.56.10/24")});
  CHECK(front.advertise == 1s);
  CHECK(front.preempt == config::Preempt{.allowed = true});
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
  REQUIRE(web.servers.size() == 3);
  CHECK(web.servers[0].name == "web1");
  CHECK(to_string(web.servers[0].endpoint) == "192.168.200.11:80");
  CHECK(web.servers[0].weight == 3);
  CHECK(web.servers[1].weight == 1);
  CHECK(web.servers[2].name == "fallback");
  CHECK(web.servers[2].fallback);
  CHECK(to_string(web.servers[2].endpoint) == "192.168.200.99:80");
}

TEST_CASE("what a service leaves out has the default") {
  const auto service = service_of(minimal);
  CHECK(service.spec == ipvs::Service{.persistence_engine = ""});
  CHECK(service.forward == ipvs::Forward::nat);
  CHECK(service.checks.empty());
  CHECK(service.on_failure == config::OnFailure::drain);
  CHECK(service.servers.size() == 1);
  CHECK(service.drain_time == 300s);
}

TEST_CASE("a server's port is the service's unless it says otherwise") {
  const auto service = service_of(
      "    listen: udp://192.0.2.10:53\n    servers: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2:5353 } }\n"
      "    fallback: 10.0.0.9\n");
  CHECK(to_string(service.key) == "udp 192.0.2.10:53");
  CHECK(to_string(service.servers[0].endpoint) == "10.0.0.1:53");
  CHECK(to_string(service.servers[1].endpoint) == "10.0.0.2:5353");
  CHECK(to_string(service.servers[2].endpoint) == "10.0.0.9:53");
}

TEST_CASE("fallbacks have names, weights and ranges like servers, and stand behind them wherever they are written") {
  const auto service = service_of(
      "    listen: 192.0.2.10:80\n    fallback: { sorry(1-2): { address: 10.0.1.(1-2), weight: 5 } }\n"
      "    servers: { a: { address: 10.0.0.1 } }\n");
  REQUIRE(service.servers.size() == 3);
  CHECK_FALSE(service.servers[0].fallback);
  CHECK(service.servers[1] ==
        config::Server{
            .name = "sorry1", .endpoint = Endpoint::parse("10.0.1.1:80").value(), .weight = 5, .fallback = true});
  CHECK(service.servers[2].name == "sorry2");
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

TEST_CASE("every kind of check is read as it says") {
  using namespace checkers;
  const auto checks = cluster_of(corpus::text_of(corpus::folder("good") / "probes.yaml")).services[0].checks;
  REQUIRE(checks.size() == 16);
  std::vector<Kind> kinds;
  for (const auto& check : checks) kinds.push_back(check.kind);
  const Match hundreds = {.what = "^2[0-9]+ ", .kind = Match::Kind::regex};
  CHECK(kinds[0] ==
        Kind(Tcp{.script = {Tcp::Send{"PING\r\n"}, Match{"+PONG"}, Tcp::Send{"\r\n"}, hundreds, Match{"220"}}}));
  CHECK(kinds[1] == Kind(Tcp{.tls = Tls{.verify = false,
                                        .ca = "/etc/ssl/ca.pem",
                                        .name = "www.example.com",
                                        .min_version = Tls::Version::tls1_3,
                                        .min_days_left = 14}}));
  CHECK(kinds[2] == Kind(Tcp{.tls = Tls{}}));
  CHECK(kinds[3] == Kind(Http{.method = "HEAD",
                              .headers = {{"Accept", "text/plain"}, {"X-Check", "1"}},
                              .authorization_file = "/etc/directord/health.auth",
                              .expect_headers = {{"server", {"nginx"}}},
                              .max_body = 1}));
  CHECK(kinds[4] == Kind(Http{.host = "www.example.com",
                              .method = "POST",
                              .body = "{}",
                              .expect_body = Match{.what = "ok", .kind = Match::Kind::regex},
                              .tls = Tls{}}));
  CHECK(kinds[5] == Kind(Http{.tls = Tls{.verify = false}}));
  CHECK(kinds[6] == Kind(Udp{.send = "ping", .expect = Match{"pong"}}));
  CHECK(kinds[7] == Kind(Udp{.send = "", .expect = Match{"pong"}}));
  CHECK(kinds[8] ==
        Kind(Dns{.name = "example.org", .type = 28, .rcode = 0, .address = net::Address::parse("2001:db8::1")}));
  CHECK(kinds[9] == Kind(Dns{}));
  CHECK(kinds[10] == Kind(Icmp{}));
  CHECK(kinds[11] == Kind(Smtp{.helo = "lb1.example.com", .starttls = true, .tls = Tls{.verify = false}}));
  CHECK(kinds[12] ==
        Kind(Exec{.command = {"/usr/local/bin/check-db", "--fast", "3"}, .user = "nobody", .weight = true}));
  CHECK(kinds[13] == Kind(Agent{.send = "web1\n"}));
  CHECK(kinds[14] == Kind(File{.path = "/run/web1.state"}));
  CHECK(checks[13].port == 9707);
  CHECK(checks[13].address == net::Address::parse("10.0.0.70"));
  CHECK(checks[13].path == Path{.source = net::Address::parse("10.0.0.250"), .interface = "eth1", .mark = 7});
  CHECK(checks[15].pending_interval == 1s);
}

TEST_CASE("an interface may differ from node to node") {
  const auto cluster = cluster_of(corpus::text_of(corpus::folder("good") / "interfaces-by-node.yaml"));
  using Interfaces = std::map<std::string, std::string>;
  CHECK(cluster.virtual_routers[1].interfaces == Interfaces{{"lb1", "eth1"}, {"lb2", "ens4"}});
  CHECK(cluster.connection_sync->interfaces == Interfaces{{"lb1", "eth1"}, {"lb2", "ens4"}});
}

TEST_CASE("a virtual router may have priorities of its own, on some nodes or on all") {
  const auto cluster = cluster_of(corpus::text_of(corpus::folder("good") / "router-priorities.yaml"));
  using Priorities = std::pair<int, int>;  // on lb1 and on lb2
  std::map<std::string, Priorities> priorities;
  for (const auto& router : cluster.virtual_routers)
    priorities[router.name] = {priority_of(router, cluster.nodes[0]), priority_of(router, cluster.nodes[1])};
  CHECK(priorities == std::map<std::string, Priorities>{{"first", {150, 100}},
                                                        {"second", {100, 150}},
                                                        {"same", {100, 150}},
                                                        {"partial", {150, 254}},
                                                        {"equal", {120, 120}},
                                                        {"owned", {150, 255}}});
}

TEST_CASE("a folder's own name is no glob") {
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("config-test-{}-[a]*", ::getpid());
  std::filesystem::create_directories(folder);
  corpus::write(folder / "main.yaml", "cluster: c\ninclude: '*.part'\n");
  corpus::write(folder / "nodes.part", "nodes: { lb1: { address: 192.0.2.11 } }\n");
  const auto loaded = config::load(folder / "main.yaml");
  std::filesystem::remove_all(folder);
  REQUIRE(loaded);
  CHECK(loaded->cluster.nodes.size() == 1);
}

TEST_CASE("a file that is too large for a cluster file is not read") {
  const auto file = std::filesystem::temp_directory_path() / fmt::format("config-test-{}-large", ::getpid());
  corpus::write(file, "");
  std::filesystem::resize_file(file, config::max_file_size + 1);
  const auto loaded = config::load(file);
  std::filesystem::remove(file);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().at(0).message == "is larger than 64 MiB");
}

TEST_CASE("a file that cannot be read says why") {
  const auto said = [](const std::string& path) {
    const auto loaded = config::load(path);
    return loaded ? "read" : to_string(loaded.error());
  };
  CHECK(said("/nonexistent/cluster.yaml") ==
        "/nonexistent/cluster.yaml: error: cannot be read: No such file or directory\n");
  CHECK(said("/") == "/: error: is a directory; expected a file\n");
  CHECK(said("/dev/null") == "/dev/null: error: is not a regular file\n");
}

TEST_CASE("defaults fill in what is not said, and no more") {
  const auto cluster = cluster_of(corpus::text_of(corpus::folder("good") / "defaults.yaml"));
  const auto& plain = cluster.services[0];
  CHECK(plain.spec == ipvs::Service{.scheduler = "wrr", .persistence = 60s, .persistence_engine = ""});
  CHECK(plain.forward == ipvs::Forward::route);
  CHECK(plain.on_failure == config::OnFailure::remove);
  CHECK(plain.checks ==
        std::vector{checkers::Spec{
            .kind = checkers::Tcp{}, .interval = 10s, .timeout = 3s, .thresholds = {.rise = 5, .fall = 4}}});
  CHECK(plain.servers[0].weight == 7);

  const auto& own = cluster.services[1];
  CHECK(own.spec.scheduler == "rr");
  REQUIRE(own.checks.size() == 2);
  CHECK(own.checks[0] ==
        checkers::Spec{.kind = checkers::Http{}, .interval = 10s, .timeout = 9s, .thresholds = {2, 4}});
  CHECK(own.checks[1] == checkers::Spec{.kind = checkers::Tcp{}, .interval = 4s, .timeout = 3s, .thresholds = {2, 4}});
  CHECK(own.servers[0].weight == 1);
}

TEST_CASE("a range stands for its servers, where it stood") {
  const auto cluster = cluster_of(corpus::text_of(corpus::folder("good") / "ranges.yaml"));
  std::string servers;
  for (const auto& server : cluster.services[0].servers) {
    servers += server.name + "=" + to_string(server.endpoint) + "*" + std::to_string(server.weight) + " ";
  }
  CHECK(servers ==
        "first=10.0.0.9:80*1 web08=10.0.0.11:80*2 web09=10.0.0.12:80*2 web10=10.0.0.13:80*2 "
        "1-v=10.0.1.1:8080*1 2-v=10.0.1.2:8080*1 ");
}

TEST_CASE("included files belong to the one that includes them") {
  const auto folder = corpus::folder("good");
  const auto loaded = config::load(folder / "includes.yaml");
  REQUIRE(loaded);
  std::vector<std::string> files;
  for (const auto& file : loaded->files) files.push_back(std::filesystem::relative(file, folder));
  CHECK(files == std::vector<std::string>{"includes.yaml", "parts/1-more.yaml", "parts/deeper/web.yaml",
                                          "parts/2-more.yaml", "parts/3-nothing.yaml"});
  CHECK(loaded->cluster.nodes.size() == 2);
  CHECK(loaded->cluster.virtual_routers.size() == 4);
  CHECK(loaded->cluster.groups == std::vector<std::vector<std::string>>{{"v0", "v1"}, {"v2", "v3"}});
  CHECK(loaded->cluster.connection_sync->interfaces.at("lb2") == "eth1");
  CHECK(loaded->cluster.services.at(0).name == "web");
}

TEST_CASE("text in memory includes no file") {
  const auto loaded = config::load_text("text", "cluster: c\ninclude: /etc/passwd\n");
  REQUIRE_FALSE(loaded);
  CHECK(to_string(loaded.error()) ==
        "text:2:1: error: 'include' needs a file to start from; this text has none\n    include: /etc/passwd\n    ^\n");
}

TEST_CASE("a persistence mask of no bits makes all clients one, one of all bits tells them all apart") {
  const auto spec = [](const char* mask) {
    return service_of(std::string(minimal) + "    persistence: 5m\n    persistence_mask: " + mask + "\n").spec;
  };
  CHECK(ipv4_mask(spec("0")) == 0);
  CHECK(spec("0").raw_mask == 0U);
  CHECK(ipv4_mask(spec("24")) == 0xffffff00);
  CHECK_FALSE(spec("24").raw_mask);
  // As the kernel tells it, so that it is not changed again and again.
  CHECK(ipv4_mask(spec("32")) == UINT32_MAX);
  CHECK(spec("32").mask_length == 0);
}
