// What leaves our sockets, captured by tcpdump on a neighbour and decoded by tshark, which shares no code with us.

#include <fmt/format.h>

#include <set>

#include "test/catch.h"
#include "test/interop/vrrp/capture.h"
#include "test/interop/vrrp/node.h"

using namespace std::chrono_literals;

namespace {

/// A node of ours on a network, heard by a neighbour from its start to its stop.
std::unique_ptr<Capture> capture_life(lab::Topology& topology, const vrrp::Spec& spec, const std::string& address,
                                      net::Duration length = 700ms) {
  topology.add_network("lan");
  lab::Host& host = topology.add_host("lb1");
  lab::Host& neighbour = topology.add_host("client");
  for (lab::Host* each : {&host, &neighbour}) each->sysctl("ipv6/conf/default/accept_dad", "0");
  topology.connect(host, "lan", "eth0", {address});
  topology.connect(neighbour, "lan", "eth0", {});
  auto capture = std::make_unique<Capture>(neighbour);
  Node node(host, {spec});
  node.start();
  REQUIRE(pump({&node}, [&] { return node.is_master(); }, 5s));
  pump_for({&node}, length);  // some adverts, and three announcements of the burst
  node.stop();
  lab::sleep_for(50ms);
  capture->finish();
  return capture;
}

void expect_adverts(const std::vector<std::string>& lines, const std::string& regular, const std::string& last) {
  CAPTURE(lines);
  REQUIRE(lines.size() > 5);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) CHECK(lines[i] == regular);
  CHECK(lines.back() == last);
}

}  // namespace

TEST_CASE("IPv4 adverts and ARP are what an independent decoder expects", "[wire]") {
  struct Row {
    vrrp::Checksum checksum;
    std::string preference;
  };
  const auto row = GENERATE(Row{vrrp::Checksum::rfc9568, "vrrp.v3_checksum_as_in_v2:TRUE"},
                            Row{vrrp::Checksum::rfc5798, "vrrp.v3_checksum_as_in_v2:FALSE"});
  lab::Topology topology;
  vrrp::Spec front = spec("front", 51, 150, "10.0.0.100/24");
  front.checksum = row.checksum;
  const auto capture = capture_life(topology, front, "10.0.0.1/24");
  expect_adverts(capture->packets("vrrp",
                                  {"vrrp.checksum.status", "vrrp.prio", "vrrp.short_adver_int", "vrrp.virt_rtr_id",
                                   "vrrp.ip_addr", "ip.src", "ip.dst", "ip.ttl", "ip.dsfield"},
                                  row.preference),
                 "1 150 10 51 10.0.0.100 10.0.0.1 224.0.0.18 255 0xc0",
                 "1 0 10 51 10.0.0.100 10.0.0.1 224.0.0.18 255 0xc0");

  const auto arps =
      capture->packets("arp.isgratuitous", {"eth.dst", "arp.opcode", "arp.src.proto_ipv4"}, row.preference);
  REQUIRE(arps.size() >= 6);
  for (std::size_t i = 0; i < arps.size(); ++i) {
    CHECK(arps[i] == fmt::format("ff:ff:ff:ff:ff:ff {} 10.0.0.100", i % 2 + 1));
  }
}

TEST_CASE("IPv6 adverts and neighbour advertisements are what an independent decoder expects", "[wire]") {
  lab::Topology topology;
  vrrp::Spec front = spec("front", 61, 200, "fe80::100/64");
  front.addresses.push_back(lab::prefix("2001:db8::100/64"));
  const auto capture = capture_life(topology, front, "2001:db8::1/64");
  const std::string any = "vrrp.v3_checksum_as_in_v2:FALSE";
  expect_adverts(capture->packets("vrrp",
                                  {"vrrp.checksum.status", "vrrp.prio", "vrrp.short_adver_int", "vrrp.virt_rtr_id",
                                   "vrrp.ipv6_addr", "ipv6.dst", "ipv6.hlim"},
                                  any),
                 "1 200 10 61 fe80::100,2001:db8::100 ff02::12 255", "1 0 10 61 fe80::100,2001:db8::100 ff02::12 255");

  for (const std::string address : {"fe80::100", "2001:db8::100"}) {
    const auto advertisements = capture->packets("icmpv6.type == 136 && icmpv6.nd.na.target_address == " + address,
                                                 {"icmpv6.checksum.status", "ipv6.dst", "ipv6.hlim",
                                                  "icmpv6.nd.na.flag.r", "icmpv6.nd.na.flag.s", "icmpv6.nd.na.flag.o"},
                                                 any);
    REQUIRE(advertisements.size() >= 3);
    const std::set<std::string> flags = {"1 ff02::1 255 1 0 1",
                                         "1 ff02::1 255 True False True"};  // older, newer tshark
    for (const auto& line : advertisements) CHECK(flags.contains(line));
  }
}

TEST_CASE("version 2 adverts, with a password and without, are what an independent decoder expects", "[wire]") {
  const std::string password = GENERATE("", "secret");
  lab::Topology topology;
  vrrp::Spec front = spec("front", 51, 150, "10.0.0.100/24");
  front.version = 2;
  front.advertise = 1s;
  front.password = password;
  const auto capture = capture_life(topology, front, "10.0.0.1/24", 5500ms);
  const std::vector<std::string> fields = {"vrrp.version",   "vrrp.checksum.status", "vrrp.prio",   "vrrp.adver_int",
                                           "vrrp.auth_type", "vrrp.auth_string",     "vrrp.ip_addr"};
  const auto expected = [&](int priority) {
    return password.empty() ? fmt::format("2 1 {} 1 0  10.0.0.100", priority)
                            : fmt::format("2 1 {} 1 1 secret 10.0.0.100", priority);
  };
  expect_adverts(capture->packets("vrrp", fields, "vrrp.v3_checksum_as_in_v2:FALSE"), expected(150), expected(0));
}

TEST_CASE("signed adverts are adverts, trailer and all, to a decoder that knows no trailer", "[wire]") {
  struct Row {
    std::string address;
    std::string own;
    vrrp::Checksum checksum;
    std::string preference;
  };
  const auto row =
      GENERATE(Row{"10.0.0.100/24", "10.0.0.1/24", vrrp::Checksum::rfc9568, "vrrp.v3_checksum_as_in_v2:TRUE"},
               Row{"10.0.0.100/24", "10.0.0.1/24", vrrp::Checksum::rfc5798, "vrrp.v3_checksum_as_in_v2:FALSE"},
               Row{"2001:db8::100/64", "2001:db8::1/64", vrrp::Checksum::rfc9568, "vrrp.v3_checksum_as_in_v2:FALSE"});
  lab::Topology topology;
  vrrp::Spec front = spec("front", 51, 150, row.address);
  front.checksum = row.checksum;
  front.signing =
      vrrp::Signing{.mode = vrrp::SigningMode::enforce, .keys = {{.id = 1, .secret = "a secret of the test"}}};
  const auto capture = capture_life(topology, front, row.own);
  const std::string address = row.address.substr(0, row.address.find('/'));
  expect_adverts(
      capture->packets("vrrp",
                       {"vrrp.version", "vrrp.checksum.status", "vrrp.prio", "vrrp.short_adver_int", "vrrp.virt_rtr_id",
                        "vrrp.addr_count", address.contains(':') ? "vrrp.ipv6_addr" : "vrrp.ip_addr"},
                       row.preference),
      fmt::format("3 1 150 10 51 1 {}", address), fmt::format("3 1 0 10 51 1 {}", address));
}
