#include "ipvs/types.h"

#include "ipvs/op.h"
#include "test/catch.h"

using namespace ipvs;

TEST_CASE("keys print as operators say them") {
  const auto key = [](Protocol protocol, const char* endpoint) {
    return ServiceKey{.protocol = protocol, .endpoint = *net::Endpoint::parse(endpoint), .fwmark = 0};
  };
  CHECK(to_string(key(Protocol::tcp, "192.0.2.1:80")) == "tcp 192.0.2.1:80");
  CHECK(to_string(key(Protocol::udp, "[2001:db8::1]:53")) == "udp [2001:db8::1]:53");
  CHECK(to_string(key(Protocol::sctp, "192.0.2.1:0")) == "sctp 192.0.2.1:0");
  CHECK(to_string(ServiceKey{.protocol = Protocol::none, .endpoint = {}, .fwmark = 5}) == "fwmark 5");
  const net::Endpoint any6{.address = net::Address::any(net::Family::ipv6)};
  CHECK(to_string(ServiceKey{.protocol = Protocol::none, .endpoint = any6, .fwmark = 5}) == "fwmark 5 (ipv6)");
  CHECK(to_string(DestinationKey{.endpoint = *net::Endpoint::parse("[::1]:8080")}) == "[::1]:8080");
}

TEST_CASE("a mask of 32 bits is the whole address") {
  CHECK(ipv4_mask({.mask_length = 32}) == UINT32_MAX);
  CHECK(ipv4_mask({.mask_length = 31}) == 0xfffffffe);
  CHECK(ipv4_mask({.mask_length = 0}) == UINT32_MAX);
  CHECK(ipv4_mask({.raw_mask = 0}) == 0);
}

TEST_CASE("ops print as one line with their values") {
  const ServiceKey web{.protocol = Protocol::tcp, .endpoint = *net::Endpoint::parse("192.0.2.1:80"), .fwmark = 0};
  const DestinationKey server{.endpoint = *net::Endpoint::parse("10.0.0.7:80")};
  using namespace std::chrono_literals;
  CHECK(to_string(AddService{web,
                             {.scheduler = "sh",
                              .flags = flag::sched1 | flag::sched2 | flag::one_packet,
                              .persistence = 300s,
                              .mask_length = 24,
                              .persistence_engine = "sip"}}) ==
        "add tcp 192.0.2.1:80: sh, flag-1, flag-2, one packet, persistence 300s /24, engine sip");
  CHECK(to_string(SetService{web, {.scheduler = "rr", .persistence = 1s, .raw_mask = 0xff00ff00}}) ==
        "change tcp 192.0.2.1:80: rr, persistence 1s mask 0xff00ff00");
  CHECK(to_string(RemoveService{web}) == "remove tcp 192.0.2.1:80");
  CHECK(to_string(AddDestination{web, server, {.weight = 3, .upper_threshold = 9, .lower_threshold = 2}}) ==
        "add 10.0.0.7:80 to tcp 192.0.2.1:80: nat, weight 3, upper threshold 9, lower threshold 2");
  const Tunnel gue{.type = Tunnel::Type::gue, .port = 6080};
  CHECK(to_string(SetDestination{web, server, {.forward = Forward::tunnel, .tunnel = gue}}) ==
        "change 10.0.0.7:80 of tcp 192.0.2.1:80: tunnel (gue), weight 1, tunnel port 6080");
  CHECK(to_string(RemoveDestination{web, server}) == "remove 10.0.0.7:80 from tcp 192.0.2.1:80");
  CHECK(to_string(Zero{}) == "zero the counters of all");
  CHECK(to_string(Flush{}) == "flush the table");
  CHECK(to_string(SetTimeouts{{.tcp = 900s}}) == "set the timeouts: tcp 900s, tcp_fin 0s, udp 0s");
  CHECK(to_string(StartDaemon{{.interface = "eth0", .sync_id = 3}}) == "start the master sync daemon on eth0: id 3");
  CHECK(to_string(StopDaemon{Daemon::State::backup}) == "stop the backup sync daemon");
}
