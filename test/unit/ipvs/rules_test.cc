#include "ipvs/ctl/rules.h"

#include <sstream>

#include "ipvs/ctl/rule_file.h"
#include "ipvs/ctl/rule_text.h"
#include "test/catch.h"
#include "test/unit/ipvs/random.h"

using namespace ipvs;

namespace {

std::string rule(const Op& op) {
  NameResolver namer(true);
  std::string text;
  append_rule(text, op, namer);
  return text;
}

/// What a line says, said again; or why it is wrong, with the exit status.
std::string reread(std::string_view line) {
  const auto command = parse_rule(line);
  if (!command) return std::to_string(command.error().status) + " " + command.error().message;
  if (!*command) return "nothing";
  if (!(*command)->op) return std::string(name((*command)->verb));
  std::string text = rule(*(*command)->op);
  text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("a rule reads back as the op that it was written from") {
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const ServiceKey key = random.service_key();
    Service service = random.service(key.family());
    // One-packet scheduling is the language's for UDP and marks only.
    if (key.protocol == Protocol::tcp || key.protocol == Protocol::sctp) service.flags &= ~flag::one_packet;
    DestinationKey destination_key = random.destination_key(key.family());
    Destination destination = random.destination();
    if (destination.tunnel.type == Tunnel::Type::gre) destination.tunnel.flags &= 1;  // gre has no remote checksum
    // Only NAT can say another port than the service's.
    if (key.protocol != Protocol::none && destination.forward != Forward::nat) {
      destination_key.endpoint.port = key.endpoint.port;
    }
    const DestinationKey any_key = random.destination_key(key.family());
    for (const Op& op : {Op(AddService{key, service}), Op(SetService{key, service}), Op(RemoveService{key}),
                         Op(AddDestination{key, destination_key, destination}),
                         Op(SetDestination{key, destination_key, destination}), Op(RemoveDestination{key, any_key}),
                         Op(Zero{key}), Op(Zero{}), Op(Flush{}), Op(StopDaemon{Daemon::State::backup})}) {
      INFO("seed " << seed << ": " << rule(op));
      const auto command = parse_rule(rule(op));
      REQUIRE(command);
      REQUIRE(*command);
      CHECK((*command)->op == op);
    }
  }
}

TEST_CASE("lines are read in ipvsadm's grammar") {
  struct Case {
    std::string_view line, meaning;
  };
  const Case cases[] = {
      {"", "nothing"},
      {" \t\r\n", "nothing"},
      {"# -A -t 10.0.0.1:80", "nothing"},
      {"ipvsadm -A -t 10.0.0.1:80 -s rr", "-A -t 10.0.0.1:80 -s rr"},
      {"\t-At10.0.0.1:80  -srr -p50", "-A -t 10.0.0.1:80 -s rr -p 50"},
      {"--add-service --tcp-service=10.0.0.1:80 --persistent 7 --netmask 255.255.0.0",
       "-A -t 10.0.0.1:80 -s wlc -p 7 -M 255.255.0.0"},
      {"-A -t 10.0.0.1:80 -p -s rr", "-A -t 10.0.0.1:80 -s rr -p 360"},
      {"-A -f 5 -6 -p 1 -M 64", "-A -f 5 -6 -s wlc -p 1 -M 64"},
      {"-A -u [::1]:53 -o", "-A -u [::1]:53 -s wlc -o"},
      {"-a -t 10.0.0.1:80 -r 10.1.0.1", "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -g -w 1"},
      {"-a -t 10.0.0.1:80 -r 10.1.0.1:81 -m -w 0 -x 9 -y 3", "-a -t 10.0.0.1:80 -r 10.1.0.1:81 -m -w 0 -x 9 -y 3"},
      {"-a -t 10.0.0.1:80 -r 10.1.0.1:81 -i --tun-type gue --tun-port 6080 --tun-csum",
       "-a -t 10.0.0.1:80 -r 10.1.0.1:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum"},
      {"-d -t 10.0.0.1:80 -r 10.1.0.1:81", "-d -t 10.0.0.1:80 -r 10.1.0.1:81"},
      {"-Z", "-Z"},
      {"-C", "-C"},
      {"-Ln", "list"},
      {"-R", "restore"},
      {"--set 1 2 3", "--set 1 2 3"},
      {"--start-daemon master", "--start-daemon master --mcast-interface eth0 --syncid 0"},
      {"--start-daemon master --mcast-interface=", "--start-daemon master --mcast-interface= --syncid 0"},
      {"--start-daemon master --mcast-interface eth0 --syncid 7 --mcast-group ff15::7 --mcast-ttl 2",
       "--start-daemon master --mcast-interface eth0 --syncid 7 --mcast-group ff15::7 --mcast-ttl 2"},
      {"--stop-daemon backup", "--stop-daemon backup"},
      {"foo", "255 no command; ipvsctl -h lists them"},
      {"-t 10.0.0.1:80 -A", "255 no command; ipvsctl -h lists them"},
      {"-X", "255 -X: unknown option"},
      {"-A --nosuch", "255 --nosuch: unknown option"},
      {"-A -t", "255 -t: missing argument"},
      {"-L --stats=1", "255 --stats=1: option does not take an argument"},
      {"-A -D", "2 invalid option `-D': only one command is allowed"},
      {"-A -t 10.0.0.1:80 x", "2 unexpected argument x"},
      {"-A", "2 You need to supply the 'service-address' option for the 'add-service' command"},
      {"-a -t 10.0.0.1:80", "2 You need to supply the 'real-server' option for the 'add-server' command"},
      {"-A -t 10.0.0.1:80 -w 1", "2 Illegal 'weight' option with the 'add-service' command"},
      {"-A -t 10.0.0.1:80 -u 10.0.0.1:80", "2 multiple 'service-address' options specified"},
      {"-A -t 10.0.0.1:99999", "2 illegal virtual server address[:port] specified: `10.0.0.1:99999'"},
      {"-A -t 10.0.0.1:0", "2 Zero port specified for non-persistent service"},
      {"-A -t 10.0.0.1:80 -o", "2 One-Packet Scheduling is only for UDP virtual services"},
      {"-A -t 10.0.0.1:80 -b sh-port", "2 incompatible scheduler flag `sh-port': it belongs to the scheduler sh"},
      {"-A -t 10.0.0.1:80 -p 0", "2 invalid timeout value `0' specified: expected seconds, 1..2678400"},
      {"-A -f 0", "2 invalid fwmark value `0' specified: expected a decimal number, 1..4294967295"},
      {"-a -t 10.0.0.1:80 -r 10.1.0.1 -w x", "2 illegal weight specified: `x' is not in 0..2147483647"},
      {"-a -t 10.0.0.1:80 -r [::1]:80", "2 Different address family is allowed only for tunneling servers: -i"},
      {"-a -t 10.0.0.1:80 -r 10.1.0.1 --tun-type gre", "2 Tunnel options conflict with forward method: they need -i"},
      {"-L -c --timeout", "2 The option 'timeout' conflicts with the 'connection' option in the 'list' command"},
      {"--start-daemon foo", "2 illegal start-daemon parameter specified: `foo' is neither master nor backup"},
      {"--set 1 2", "2 --set option requires 3 timeout values: tcp, tcpfin and udp, in seconds"},
  };
  for (const Case& each : cases) {
    INFO(each.line);
    CHECK(reread(each.line) == each.meaning);
  }
}

TEST_CASE("any bytes are a command or an error") {
  const std::string base = "-a -t [2001:db8::1]:80 -r 10.0.0.1:81 -i --tun-type gue --tun-port 9 -w 3 -x 5";
  int right = 0;
  for (std::size_t length = 0; length <= base.size(); ++length) right += parse_rule(base.substr(0, length)).has_value();
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string line = base;
    // Letters would be looked up as names, which are not for a unit test.
    for (std::uint32_t j = 1 + random.below(3); j > 0; --j) {
      line[random.below(static_cast<std::uint32_t>(line.size()))] =
          random.one_of<char>({'-', ' ', '=', ':', '[', ']', '0', '9', '\0', '\x80', ',', '#', '\t'});
    }
    right += parse_rule(line).has_value();
  }
  CHECK(right > 100);
  CHECK_FALSE(parse_rule(std::string(1000, '-')));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "-n ";
  CHECK_FALSE(parse_rule(many));
}

TEST_CASE("a file's rules make the table that they say, and errors name their line") {
  const auto desired = read_desired(
      "# a comment\n"
      "ipvsadm -A -t 10.0.0.1:80 -s unheard-of\n"
      "-a -t 10.0.0.1:80 -r 10.1.0.1 -m -w 3\n"
      "-a -t 10.0.0.1:80 -r 10.1.0.2 -m\n"
      "-d -t 10.0.0.1:80 -r 10.1.0.2\n"
      "--set 0 0 9\n"
      "--start-daemon backup --mcast-interface eth7 --syncid 3");
  REQUIRE(desired);
  const ServiceKey key{.endpoint = *net::Endpoint::parse("10.0.0.1:80")};
  CHECK(desired->table ==
        Table{{key,
               {.service = {.scheduler = "unheard-of"},
                .destinations = {{{.endpoint = *net::Endpoint::parse("10.1.0.1:80")}, {.weight = 3}}}}}});
  CHECK(desired->timeouts == Timeouts{.udp = std::chrono::seconds(9)});
  CHECK(desired->daemons == std::vector<Daemon>{{.state = Daemon::State::backup, .interface = "eth7", .sync_id = 3}});

  const auto message = [](std::string_view text) { return read_desired(text).error().message; };
  CHECK(message("-A -t 10.0.0.1:80\n\n-A -t 10.0.0.1:80") == "line 3: add tcp 10.0.0.1:80: it already exists");
  CHECK(message("foo") == "line 1: no command; ipvsctl -h lists them");
  CHECK(message("\n-L\n") == "line 2: 'list' is not allowed in rules");
}

TEST_CASE("what runs matches with what a file leaves to the kernel") {
  const Daemon running{.interface = "eth0", .sync_id = 1, .max_length = 1472, .port = 8848, .ttl = 1};
  CHECK(matches(running, {.interface = "eth0", .sync_id = 1}));
  CHECK_FALSE(matches(running, {.interface = "eth0", .sync_id = 2}));
  CHECK_FALSE(matches(running, {.interface = "eth0", .sync_id = 1, .ttl = 2}));
  using namespace std::chrono_literals;
  CHECK(matches(Timeouts{900s, 120s, 300s}, Timeouts{0s, 0s, 300s}));
  CHECK_FALSE(matches(Timeouts{900s, 120s, 300s}, Timeouts{0s, 0s, 301s}));
}
