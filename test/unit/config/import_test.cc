// Other tools' files and the cluster files made of them, beside each other in imports/. The latter are rewritten by
// config_unit "[rewrite]": look at the difference.
#include <fstream>

#include "config/import/imported.h"
#include "config/load.h"
#include "test/catch.h"
#include "test/unit/config/corpus.h"

using namespace config;

namespace {

Imported import_file(const std::filesystem::path& file) {
  const std::string text = corpus::text_of(file);
  if (file.extension() == ".ldirectord") return import_ldirectord(text);
  auto imported = import_keepalived(text);
  REQUIRE(imported);
  return std::move(*imported);
}

std::vector<std::filesystem::path> inputs() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(corpus::folder("imports"))) {
    if (entry.path().extension() != ".yaml") found.push_back(entry.path());
  }
  REQUIRE(found.size() >= 3);
  return found;
}

std::filesystem::path result_of(const std::filesystem::path& input) { return input.string() + ".yaml"; }

}  // namespace

TEST_CASE("other tools' files become the cluster files beside them, which are good but for what is to be filled in") {
  for (const auto& input : inputs()) {
    INFO(input.filename());
    const std::string text = to_yaml(import_file(input));
    CHECK(text == corpus::text_of(result_of(input)));
    const auto loaded = load_text("cluster.yaml", text);
    if (!loaded) {
      INFO(to_string(loaded.error()));
      CHECK(text.find(fill_in) != std::string::npos);
    }
  }
}

TEST_CASE("the imports are written anew", "[.][rewrite]") {
  for (const auto& input : inputs()) std::ofstream(result_of(input)) << to_yaml(import_file(input));
}

TEST_CASE("braces that do not match are refused with their line") {
  CHECK(import_keepalived("a {\nb {\n}\n").error().message == "line 1: this brace is not closed");
  CHECK(import_keepalived("a {\n}\n}\n").error().message == "line 3: closing brace without an opening brace");
  CHECK(import_keepalived(std::string(100, '{')).error().message == "line 1: braces are nested too deep");
}

TEST_CASE("a table becomes services that are named for their addresses") {
  ipvs::Table table;
  const auto endpoint = [](const char* text) { return *net::Endpoint::parse(text); };
  auto& web = table[{.protocol = ipvs::Protocol::tcp, .endpoint = endpoint("192.168.56.10:80"), .fwmark = 0}];
  web.service.scheduler = "wrr";
  web.destinations[{endpoint("192.168.200.11:80")}] = {.weight = 3};
  web.destinations[{endpoint("192.168.200.12:80")}] = {.weight = 1, .upper_threshold = 9};
  CHECK(to_yaml(import_table(table)) ==
        "# tcp 192.168.56.10:80: no check: all servers count as up\n"
        "\n"
        "cluster: imported\n"
        "services:\n"
        "  tcp-192.168.56.10-80:\n"
        "    listen: 192.168.56.10:80\n"
        "    scheduler: wrr\n"
        "    forward: nat\n"
        "    servers:\n"
        "      192.168.200.11-80: { address: 192.168.200.11:80, weight: 3 }\n"
        "      192.168.200.12-80: { address: 192.168.200.12:80, upper_threshold: 9 }\n");
  CHECK(load_text("cluster.yaml", to_yaml(import_table(table))));
}

TEST_CASE("a service's options come through") {
  using std::chrono::seconds;
  const auto endpoint = [](const char* text) { return *net::Endpoint::parse(text); };
  ipvs::Table table;
  auto& web = table[{.protocol = ipvs::Protocol::udp, .endpoint = endpoint("192.168.56.10:5060"), .fwmark = 0}];
  web.service = {.scheduler = "mh",
                 .flags = ipvs::flag::one_packet | ipvs::flag::sched1 | ipvs::flag::sched2,
                 .persistence = seconds(300),
                 .mask_length = 24,
                 .raw_mask = {},
                 .persistence_engine = "sip"};
  web.destinations[{endpoint("[2001:db8::7]:5060")}] = {
      .forward = ipvs::Forward::tunnel,
      .upper_threshold = 100,
      .lower_threshold = 80,
      .tunnel = {.type = ipvs::Tunnel::Type::gue, .port = 6080, .flags = 2}};
  const auto loaded = load_text("cluster.yaml", to_yaml(import_table(table)));
  if (!loaded) FAIL(to_string(loaded.error()));
  const Service& service = loaded->cluster.services.front();
  CHECK(service.key == table.begin()->first);
  CHECK(service.spec == web.service);
  CHECK(service.tunnel == web.destinations.begin()->second.tunnel);
  CHECK(service.servers.front().upper_threshold == 100);
  CHECK(service.servers.front().lower_threshold == 80);
}

TEST_CASE("a fallback that this file cannot have is left out, and why is said") {
  const auto with = [](const std::string& kind, const std::string& sorry) {
    const auto text = "virtual_server 192.0.2.10 80 {\n lb_kind " + kind + "\n sorry_server " + sorry +
                      "\n real_server 10.0.0.7 80 { TCP_CHECK { } }\n}\n";
    return import_keepalived(text).value();
  };
  const auto note = [&](const std::string& kind, const std::string& sorry) {
    const auto imported = with(kind, sorry);
    CHECK(load_text("cluster.yaml", to_yaml(imported)));
    CHECK(imported.services.front().fallback.empty());
    for (const auto& each : imported.notes) {
      if (each.contains("sorry_server")) return each;
    }
    return std::string();
  };
  CHECK(note("NAT", "127.0.0.1 80").contains("with nat the kernel drops clients' packets"));
  CHECK(note("DR", "127.0.0.1 8080").contains("has port 8080, the service 80"));
  CHECK(note("NAT", "localhost 80").contains("localhost"));
  CHECK(note("DR", "2001:db8::9 80").contains("is IPv6, the service IPv4"));
  CHECK(note("NAT", "10.0.0.7 80").contains("already used by server"));
  CHECK(with("NAT", "10.0.0.99 80").services.front().fallback == "10.0.0.99:80");
  CHECK(with("DR", "127.0.0.1 80").services.front().fallback == "127.0.0.1:80");
  const auto shared = import_ldirectord(
      "fallback=127.0.0.1:80\nvirtual=192.0.2.10:443\n\treal=10.0.0.7:443 masq\n\tchecktype=connect\n");
  CHECK(shared.services.front().fallback.empty());
  CHECK(shared.notes.front().starts_with("line 2: not carried over: fallback = 127.0.0.1:80: "));
}

TEST_CASE("a mask is carried over as a prefix length") {
  CHECK(mask_length("255.255.255.0") == "24");
  CHECK(mask_length("0.0.0.0") == "0");
  CHECK(mask_length("255.255.255.255") == "32");
  CHECK(mask_length("64") == "64");
  for (const auto* text : {"255.0.255.0", "129", "", "x", "24x", "2001:db8::"}) CHECK(mask_length(text).empty());
  ipvs::Table table;
  auto& web = table[{.protocol = ipvs::Protocol::tcp, .endpoint = *net::Endpoint::parse("192.0.2.10:80"), .fwmark = 0}];
  web.service.persistence = std::chrono::seconds(300);
  web.service.raw_mask = 0;
  const auto loaded = load_text("cluster.yaml", to_yaml(import_table(table)));
  REQUIRE(loaded);
  CHECK(loaded->cluster.services.front().spec == web.service);
}

TEST_CASE("any string is one in YAML, any words a name") {
  CHECK(yaml_string("www.example.org") == "www.example.org");
  CHECK(yaml_string("10.0.0.7:80") == "10.0.0.7:80");
  CHECK(yaml_string("10.0.0.7:") == "\"10.0.0.7:\"");
  CHECK(yaml_string("200") == "\"200\"");
  CHECK(yaml_string("[2001:db8::1]:80") == "\"[2001:db8::1]:80\"");
  CHECK(yaml_string("a\"b\\\n") == "\"a\\\"b\\\\\\x0a\"");
  CHECK(free_name("[2001:db8::1]:80", {}) == "2001-db8-1-80");
  CHECK(free_name("a b", {"a-b", "a-b-2"}) == "a-b-3");
  CHECK(free_name("", {}) == "unnamed");
}

TEST_CASE("a priority without its number is no priority") {
  const auto yaml = to_yaml(*import_keepalived(
      "vrrp_instance A { virtual_router_id 1\npriority 150\n}\nvrrp_instance B { virtual_router_id 2\npriority\n}\n"));
  CHECK_THAT(yaml, Catch::ContainsSubstring("lb1: { address: FILL_IN, priority: 150 }"));
  CHECK_THAT(yaml, !Catch::ContainsSubstring("    priority:"));
}
