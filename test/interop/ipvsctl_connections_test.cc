// The connection listing and the counters beside ipvsadm's, with real connections: through NAT to this host itself,
// over IPv4 and IPv6, TCP and UDP, persistent and with SIP's persistence data.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "net/endpoint.h"
#include "net/fd.h"
#include "test/catch.h"
#include "test/interop/namespace.h"
#include "test/interop/program.h"

namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const net::Endpoint& endpoint) {
  SocketAddress address;
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(endpoint.port), .sin_addr = {}, .sin_zero = {}};
    std::memcpy(&in.sin_addr, bytes.data(), bytes.size());
    std::memcpy(&address.storage, &in, address.size = sizeof in);
  } else {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(endpoint.port);
    std::memcpy(&in6.sin6_addr, bytes.data(), bytes.size());
    std::memcpy(&address.storage, &in6, address.size = sizeof in6);
  }
  return address;
}

net::Fd open_socket(const net::Endpoint& endpoint, int type, bool listens) {
  net::Fd socket(::socket(endpoint.address.af(), type | SOCK_CLOEXEC, 0));
  REQUIRE(socket);
  const SocketAddress address = socket_address(endpoint);
  const auto* raw = reinterpret_cast<const sockaddr*>(&address.storage);
  if (!listens) {
    REQUIRE(::connect(socket.get(), raw, address.size) == 0);
  } else {
    REQUIRE(::bind(socket.get(), raw, address.size) == 0);
    if (type == SOCK_STREAM) REQUIRE(::listen(socket.get(), 16) == 0);
  }
  return socket;
}

net::Fd serve(const char* endpoint, int type) { return open_socket(*net::Endpoint::parse(endpoint), type, true); }
net::Fd visit(const char* endpoint, int type) { return open_socket(*net::Endpoint::parse(endpoint), type, false); }

Outcome ipvsctl(std::vector<std::string> words, const std::string& input = {}) {
  words.insert(words.begin(), IPVSCTL);
  return run_program(std::move(words), input);
}

void must(const Outcome& outcome) {
  INFO(outcome.err);
  REQUIRE(outcome.status == 0);
}

/// Seconds to live tick and counters lag, so what differs is asked again.
void check_alike(const std::vector<std::string>& words) {
  std::vector<std::string> theirs = words;
  theirs.insert(theirs.begin(), "ipvsadm");
  Outcome expected, outcome;
  for (int attempt = 0; attempt < 10; ++attempt) {
    expected = run_program(theirs);
    outcome = ipvsctl(words);
    if (expected.out == outcome.out) break;
  }
  CHECK(outcome.out == expected.out);
  CHECK(outcome.status == expected.status);
}

}  // namespace

TEST_CASE("connections and counters are listed as ipvsadm lists them") {
  enter_fresh_namespace();
  must(run_program({"ip", "address", "add", "10.8.0.1/32", "dev", "lo"}));
  must(run_program({"ip", "address", "add", "2001:db8::1/128", "dev", "lo", "nodad"}));
  must(ipvsctl({"--batch"},
               "-A -t 10.8.0.1:80 -s rr -p 100\n"
               "-a -t 10.8.0.1:80 -r 127.0.0.1:8080 -m\n"
               "-A -t [2001:db8::1]:80\n"
               "-a -t [2001:db8::1]:80 -r [::1]:8080 -m\n"
               "-A -u 10.8.0.1:53\n"
               "-a -u 10.8.0.1:53 -r 127.0.0.1:5060 -m\n"
               "-A -u 10.8.0.1:5060 --pe sip -p 60 -o\n"
               "-a -u 10.8.0.1:5060 -r 127.0.0.1:5060 -m\n"));
  const net::Fd servers[] = {serve("127.0.0.1:8080", SOCK_STREAM), serve("[::1]:8080", SOCK_STREAM),
                             serve("127.0.0.1:5060", SOCK_DGRAM)};
  const net::Fd web = visit("10.8.0.1:80", SOCK_STREAM);
  const net::Fd web6 = visit("[2001:db8::1]:80", SOCK_STREAM);
  const net::Fd dns = visit("10.8.0.1:53", SOCK_DGRAM);
  const net::Fd sip = visit("10.8.0.1:5060", SOCK_DGRAM);
  REQUIRE(::send(dns.get(), "query", 5, 0) == 5);
  const std::string invite = "INVITE sip:x SIP/2.0\r\nCall-ID: abc-defg-hij@10.0.0.9\r\n\r\n";
  REQUIRE(::send(sip.get(), invite.data(), invite.size(), 0) == static_cast<ssize_t>(invite.size()));
  const std::string bulk(60000, 'x');
  for (int i = 0; i < 2000; ++i) (void)::send(dns.get(), bulk.data(), bulk.size(), 0);
  ::poll(nullptr, 0, 2500);  // the estimators take two seconds

  const std::vector<std::string> lines[] = {{"-Lc"},
                                            {"-Lcn"},
                                            {"-L", "-c", "--persistent-conn"},
                                            {"-Lcn", "--persistent-conn", "--exact"},
                                            {"-Ln"},
                                            {"-Ln", "--persistent-conn"},
                                            {"-Ln", "--stats"},
                                            {"-Ln", "--stats", "--exact"},
                                            {"-Ln", "--rate"},
                                            {"-Ln", "--rate", "--exact"},
                                            {"-Ln", "--thresholds"}};
  for (const auto& words : lines) {
    INFO(words[0] << " " << (words.size() > 1 ? words[1] : ""));
    check_alike(words);
  }

  const auto table = nlohmann::json::parse(ipvsctl({"-L", "--json"}).out);
  std::uint64_t bytes = 0;
  for (const auto& service : table["services"])
    bytes = std::max(bytes, service["stats"]["bytes_in"].get<std::uint64_t>());
  CHECK(bytes > 100'000'000);
  const auto connections = nlohmann::json::parse(ipvsctl({"-Lc", "--json"}).out);
  CHECK(connections["connections"].size() == 5);

  SECTION("apply keeps the connections, and changes no more than differs") {
    const std::string rules = ipvsctl({"-Sn"}).out;
    CHECK(ipvsctl({"diff", "-"}, rules).status == 0);
    const Outcome difference = ipvsctl({"diff", "-"}, rules + "-e -t 10.8.0.1:80 -r 127.0.0.1:8080 -m -w 9\n");
    CHECK(difference.status == 1);
    CHECK(difference.out == "-e -t 10.8.0.1:80 -r 127.0.0.1:8080 -m -w 9\n");
    must(ipvsctl({"apply", "-"}, rules + "-e -t 10.8.0.1:80 -r 127.0.0.1:8080 -m -w 9\n"));
    CHECK(nlohmann::json::parse(ipvsctl({"-Lc", "--json"}).out)["connections"].size() == 5);
    CHECK(ipvsctl({"-Sn"}).out.find("-w 9") != std::string::npos);
    CHECK(::send(web.get(), "GET", 3, MSG_NOSIGNAL) == 3);
  }
}
