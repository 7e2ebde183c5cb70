#include "ipvs/ctl/listing.h"

#include "ipvs/ctl/connections.h"
#include "ipvs/ctl/json.h"
#include "ipvs/ctl/watch.h"
#include "test/catch.h"

using namespace ipvs;

namespace {

const ServiceKey web{.endpoint = *net::Endpoint::parse("192.0.2.1:80")};
const ServiceKey mark6{
    .protocol = Protocol::none, .endpoint = {.address = net::Address::any(net::Family::ipv6)}, .fwmark = 4294967295};
const DestinationKey server{.endpoint = *net::Endpoint::parse("10.0.0.7:8080")};
const DestinationKey long_server{.endpoint = *net::Endpoint::parse("[2001:db8:1111:2222:3333:4444:5555:6666]:65535")};

const DestinationStatus busy{.destination = {.weight = 3, .upper_threshold = 9, .lower_threshold = 2},
                             .active = 11,
                             .inactive = 222,
                             .persistent = 3,
                             .stats = {.connections = 1,
                                       .packets_in = 22,
                                       .packets_out = 333,
                                       .bytes_in = 99'999'999,
                                       .bytes_out = 100'000'000,
                                       .connection_rate = 5,
                                       .byte_rate_out = 1'000'000'000}};

std::string service_line(const ServiceKey& key, const Service& service, View view = View::plain) {
  NameResolver namer(true);
  std::string text;
  append_service(text, {.key = key, .service = service, .stats = busy.stats}, {.view = view}, namer);
  return text;
}

std::string destination_line(const DestinationKey& key, const DestinationStatus& status, View view,
                             bool exact = false) {
  NameResolver namer(true);
  std::string text;
  append_destination(text, web, {.key = key, .status = status}, {.view = view, .exact = exact}, namer);
  return text;
}

}  // namespace

TEST_CASE("service lines have ipvsadm's columns") {
  using namespace std::chrono_literals;
  CHECK(service_line(web, {.scheduler = "rr"}) == "TCP  192.0.2.1:80 rr\n");
  CHECK(service_line(mark6, {.scheduler = "sh", .flags = flag::sched1 | flag::sched2 | flag::sched3}) ==
        "FWM  4294967295 IPv6 sh (sh-fallback,sh-port,flag-3)\n");
  CHECK(service_line(web, {.scheduler = "wlc",
                           .flags = flag::sched1 | flag::one_packet,
                           .persistence = 300s,
                           .mask_length = 24,
                           .persistence_engine = "sip"}) ==
        "TCP  192.0.2.1:80 wlc (flag-1) persistent 300 mask 255.255.255.0 pe sip ops\n");
  CHECK(service_line(web, {}, View::stats) ==
        "TCP  192.0.2.1:80                        1       22      333 99999999  100000K\n");
  CHECK(service_line(web, {}, View::rate) ==
        "TCP  192.0.2.1:80                        5        0        0        0    1000M\n");
}

TEST_CASE("destination lines have ipvsadm's columns in every view") {
  CHECK(destination_line(server, busy, View::plain) ==
        "  -> 10.0.0.7:8080                Masq    3      11         222       \n");
  CHECK(destination_line(long_server, busy, View::plain) ==
        "  -> [2001:db8:1111:2222:3333:4444:5555:6666]:65535 Masq    3      11         222       \n");
  CHECK(destination_line(server, busy, View::thresholds) ==
        "  -> 10.0.0.7:8080                9          2          11         222       \n");
  CHECK(destination_line(server, busy, View::persistent) ==
        "  -> 10.0.0.7:8080                3         3           11         222       \n");
  CHECK(destination_line(server, busy, View::stats) ==
        "  -> 10.0.0.7:8080                       1       22      333 99999999  100000K\n");
  CHECK(destination_line(server, busy, View::stats, true) ==
        "  -> 10.0.0.7:8080                       1       22      333 99999999 100000000\n");
  DestinationStatus tunnel{.destination = {.forward = Forward::tunnel}};
  const auto info = [&](Tunnel values) {
    tunnel.destination.tunnel = values;
    return destination_line(server, tunnel, View::tunnel).substr(34, 21);
  };
  CHECK(info({}) == "Tunnel  ipip         ");
  CHECK(info({.type = Tunnel::Type::gue, .port = 6080}) == "Tunnel  gue:6080:-c  ");
  CHECK(info({.type = Tunnel::Type::gue, .port = 65535, .flags = 2}) == "Tunnel  gue:65535:r+c");
  CHECK(info({.type = Tunnel::Type::gre, .flags = 1}) == "Tunnel  gre:+c       ");
  CHECK(destination_line(server, busy, View::tunnel).substr(34, 21) == "Masq    n/a          ");
}

TEST_CASE("large numbers are scaled where ipvsadm scales them") {
  struct Case {
    std::uint64_t number;
    std::string text;
  };
  const Case cases[] = {{0, "        0"},
                        {99'999'999, " 99999999"},
                        {100'000'000, "  100000K"},
                        {999'999'999, "  999999K"},
                        {1'000'000'000, "    1000M"},
                        {99'999'999'999, "   99999M"},
                        {100'000'000'000, "     100G"},
                        {99'999'999'999'999, "   99999G"},
                        {100'000'000'000'000, "     100T"},
                        {UINT64_MAX, "18446744T"}};
  for (const Case& each : cases) CHECK(large_number(each.number, false) == each.text);
  CHECK(large_number(100'000'000, true) == " 100000000");
}

TEST_CASE("rows are sorted as ipvsadm sorts them") {
  const auto key = [](Protocol protocol, const char* endpoint) {
    return ServiceKey{.protocol = protocol, .endpoint = *net::Endpoint::parse(endpoint)};
  };
  const std::vector<ServiceKey> sorted = {key(Protocol::tcp, "9.0.0.1:80"),
                                          key(Protocol::tcp, "10.0.0.1:80"),
                                          key(Protocol::tcp, "10.0.0.1:443"),
                                          key(Protocol::udp, "1.0.0.1:53"),
                                          key(Protocol::tcp, "[2001:db8::1]:80"),
                                          {.protocol = Protocol::none, .fwmark = 3},
                                          mark6};
  std::vector<ServiceRow> rows;
  for (auto each = sorted.rbegin(); each != sorted.rend(); ++each) rows.push_back({.key = *each});
  sort_rows(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i].key == sorted[i]);

  std::vector<DestinationRow> destinations;
  for (const char* text : {"127.0.0.1:80", "[2001:db8::7]:80", "10.0.0.1:81", "10.0.0.1:80"}) {
    destinations.push_back({.key = {.endpoint = *net::Endpoint::parse(text)}});
  }
  sort_rows(destinations);
  std::string order;
  for (const DestinationRow& row : destinations) order += to_string(row.key) + " ";
  CHECK(order == "10.0.0.1:80 10.0.0.1:81 [2001:db8::7]:80 127.0.0.1:80 ");
}

TEST_CASE("connections are read from the kernel's file and written as ipvsadm writes them") {
  const std::string line = "TCP 0A080001 A114 0A080001 0050 7F000001 1F90 ESTABLISHED     899";
  const auto connection = parse_connection(line);
  REQUIRE(connection);
  CHECK(*connection == Connection{.protocol = Protocol::tcp,
                                  .client = *net::Endpoint::parse("10.8.0.1:41236"),
                                  .service = *net::Endpoint::parse("10.8.0.1:80"),
                                  .destination = *net::Endpoint::parse("127.0.0.1:8080"),
                                  .state = "ESTABLISHED",
                                  .expires = std::chrono::seconds(899)});
  const auto six = parse_connection(
      "TCP 2001:0db8:0000:0000:0000:0000:0000:0001 B0FC 2001:0db8:0000:0000:0000:0000:0000:0001 0050 "
      "0000:0000:0000:0000:0000:0000:0000:0001 1F90 ESTABLISHED     899");
  const auto template_of =
      parse_connection("UDP 0A080001 0000 0A080001 13C4 7F000001 13C4 NONE             59 sip abc-defg-hij@10.0.0.9");
  REQUIRE(six);
  REQUIRE(template_of);
  CHECK(template_of->persistence_data == "abc-defg-hij@10.0.0.9");
  NameResolver namer(true);
  std::string text;
  append_connections_header(text, false);
  append_connection(text, *connection, false, namer);
  append_connection(text, *six, false, namer);
  append_connection(text, *template_of, false, namer);
  CHECK(text ==
        "IPVS connection entries\n"
        "pro expire state       source             virtual            destination\n"
        "TCP 14:59  ESTABLISHED 10.8.0.1:41236     10.8.0.1:80        127.0.0.1:8080\n"
        "TCP 14:59  ESTABLISHED [2001:db8::1]:45308 [2001:db8::1]:80   [::1]:8080\n"
        "UDP 00:59  NONE        10.8.0.1:0         10.8.0.1:5060      127.0.0.1:5060\n");
  text.clear();
  append_connections_header(text, true);
  append_connection(text, *template_of, true, namer);
  append_connection(text, *connection, true, namer);
  CHECK(text ==
        "IPVS connection entries\n"
        "pro expire state       source             virtual            destination        pe name          pe_data\n"
        "UDP 00:59  NONE        10.8.0.1:0         10.8.0.1:5060      127.0.0.1:5060   sip                "
        "abc-defg-hij@10.0.0.9\n"
        "TCP 14:59  ESTABLISHED 10.8.0.1:41236     10.8.0.1:80        127.0.0.1:8080\n");

  CHECK_FALSE(parse_connection("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData"));
  for (std::size_t length = 0; length + 3 < line.size(); ++length) {
    CHECK_FALSE(parse_connection(std::string_view(line).substr(0, length)));
  }
}

TEST_CASE("other lines have ipvsadm's words") {
  CHECK(version_line({.version = 0x010201, .connection_table_size = 4096}) ==
        "IP Virtual Server version 1.2.1 (size=4096)\n");
  using namespace std::chrono_literals;
  CHECK(timeouts_line({900s, 120s, 300s}) == "Timeout (tcp tcpfin udp): 900 120 300\n");
  CHECK(daemon_line({.state = Daemon::State::backup,
                     .interface = "lo",
                     .sync_id = 7,
                     .max_length = 1400,
                     .group = net::Address::parse("239.1.2.3"),
                     .port = 99,
                     .ttl = 4}) ==
        "backup sync daemon (mcast=lo, syncid=7, maxlen=1400, group=239.1.2.3, port=99, ttl=4)\n");
}

TEST_CASE("JSON says everything of a service") {
  using namespace std::chrono_literals;
  const std::string rates = R"("rates":{"connections":0,"packets_in":0,"packets_out":0,"bytes_in":0,"bytes_out":0})";
  const std::string counters =
      R"("stats":{"connections":0,"packets_in":0,"packets_out":0,"bytes_in":0,"bytes_out":0,)" + rates + "}";
  const ServiceRow row{.key = web,
                       .service = {.scheduler = "mh", .flags = flag::sched2, .persistence = 5s, .mask_length = 24}};
  const DestinationRow gue{.key = server,
                           .status = {.destination = {.forward = Forward::tunnel,
                                                      .weight = 2,
                                                      .tunnel = {.type = Tunnel::Type::gue, .port = 9, .flags = 1}},
                                      .active = 4}};
  CHECK(to_json(row, {gue}) ==
        R"({"protocol":"tcp","family":"ipv4","address":"192.0.2.1","port":80,"scheduler":"mh","flags":["mh-port"],)"
        R"("persistence":5,"netmask":"255.255.255.0","persistence_engine":"",)" +
            counters +
            R"(,"destinations":[{"address":"10.0.0.7","port":8080,"forward":"tunnel","weight":2,"upper_threshold":0,)"
            R"("lower_threshold":0,"tunnel":{"type":"gue","port":9,"checksum":"yes"},"active":4,"inactive":0,)"
            R"("persistent":0,)" +
            counters + "}]}");
  CHECK(json_string("a\"\n\xff") == "\"a\\\"\\n\xef\xbf\xbd\"");
}

TEST_CASE("a watcher sees rates between two samples, in as many lines as there is room for") {
  using namespace std::chrono_literals;
  Sample before, now;
  now.at = before.at + 2s;
  now.snapshot[web].service.scheduler = "wrr";
  now.snapshot[web].stats = {.connections = 120, .connection_rate = 9};
  now.snapshot[web].destinations[server] = {
      .destination = {.weight = 3}, .active = 5, .inactive = 6, .stats = {.bytes_in = 5000, .byte_rate_in = 7}};
  NameResolver namer(true);
  // The name's column is 44 wide; what follows it is given here.
  const auto line = [](std::string name, std::string_view rest) {
    name.resize(44, ' ');
    return name.append(rest) + "\n";
  };
  const std::string header = line("", " weight  active inactive  conn/s pkt/s in pkt/s out  B/s in B/s out");
  CHECK(watch_frame(nullptr, now, namer, 200, 10) ==
        header + line("tcp 192.0.2.1:80 wrr", "              5        6     9.0        0         0       0       0") +
            line("  10.0.0.7:8080", "      3       5        6       0        0         0     7.0       0"));
  before.snapshot[web].stats.connections = 20;
  before.snapshot[web].destinations[server] = {};
  CHECK(watch_frame(&before, now, namer, 200, 10) ==
        header + line("tcp 192.0.2.1:80 wrr", "              5        6    50.0        0         0       0       0") +
            line("  10.0.0.7:8080", "      3       5        6       0        0         0    2.5k       0"));
  CHECK(watch_frame(&before, now, namer, 20, 2) == "                    \n... and 2 more lines\n");
  CHECK(watch_json(&before, now) ==
        R"({"services":[{"service":"tcp 192.0.2.1:80","rates":{"connections":50.0,"packets_in":0.0,"packets_out":0.0,)"
        R"("bytes_in":0.0,"bytes_out":0.0},"destinations":[{"destination":"10.0.0.7:8080","weight":3,"active":5,)"
        R"("inactive":6,"rates":{"connections":0.0,"packets_in":0.0,"packets_out":0.0,"bytes_in":2500.0,)"
        R"("bytes_out":0.0}}]}]})"
        "\n");
}
