#include "checkers/probes/datagram.h"

#include <random>
#include <string>
#include <thread>

#include "checkers/probes/dns.h"
#include "checkers/probes/icmp.h"
#include "checkers/probes/udp.h"
#include "server.h"
#include "shell.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace checkers;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:53");

/// A datagram socket on 127.0.0.1 that answers every datagram with `answer`, unless it is empty.
class Echo {
 public:
  explicit Echo(std::string answer)
      : answer_(std::move(answer)), thread_([this] {
          sockaddr_storage from{};
          char buffer[2048];
          for (;;) {
            socklen_t length = sizeof from;
            const auto count =
                recvfrom(fd_.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &length);
            if (count <= 0) return;
            if (!answer_.empty()) {
              sendto(fd_.get(), answer_.data(), answer_.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
            }
          }
        }) {}
  ~Echo() {
    shutdown(fd_.get(), SHUT_RDWR);
    thread_.join();
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;

  net::Endpoint endpoint{.address = *net::Address::parse("127.0.0.1"), .port = 0};

 private:
  net::Fd bound() {
    net::Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length);
    getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length);
    endpoint.port = ntohs(address.sin_port);
    return fd;
  }

  net::Fd fd_ = bound();
  std::string answer_;
  std::thread thread_;
};

/// A response to the question 0x1234 "example.org" A, with these flags and answer records.
std::string dns_response(std::uint16_t flags, std::uint16_t answers, const std::string& records) {
  std::string text = "\x12\x34";
  text += static_cast<char>(flags >> 8);
  text += static_cast<char>(flags & 0xff);
  text += "\0\1\0"s + static_cast<char>(answers) + "\0\0\0\0"s;
  text += "\7example\3org\0\0\1\0\1"s;
  return text + records;
}

const auto a_record = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"s;  // 192.0.2.1
const auto aaaa_record = "\xc0\x0c\0\x1c\0\1\0\0\0\x3c\0\x10"s + "\x20\1\x0d\xb8" + std::string(11, '\0') + "\1";
const auto cname_record = "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3www\xc0\x0c"s;

}  // namespace

TEST_CASE("udp: an answer is judged whole, and none is needed where none is expected") {
  const auto expecting = UdpPlan::prepare({.send = "ping", .expect = Match{.what = "pong"}});
  UdpExchange exchange(target, *expecting);
  CHECK(exchange.question() == "ping");
  CHECK(exchange.receive("xpongx")->sentence == "udp 10.0.0.7:53: answered as expected");
  CHECK(exchange.receive("no\n")->sentence == R"(udp 10.0.0.7:53: answered "no\n", expected "pong")");
  CHECK(exchange.receive("")->outcome == Outcome::failed);
  CHECK(exchange.timed_out(1s).sentence == "udp 10.0.0.7:53: timed out after 1 s");

  const auto silent = UdpPlan::prepare({.send = "ping"});
  UdpExchange sender(target, *silent);
  CHECK(sender.receive("anything")->outcome == Outcome::passed);
  CHECK(sender.timed_out(1s).outcome == Outcome::passed);
  CHECK(sender.timed_out(1s).sentence == "udp 10.0.0.7:53: not refused within 1 s");
}

TEST_CASE("udp over a socket: answered, refused by ICMP, silent") {
  const Echo pong("pong");
  const Echo silent("");
  const Port tcp_only;  // nobody holds its UDP side
  Shell shell;
  const auto answered = check(pong.endpoint, Udp{.send = "ping", .expect = Match{.what = "pong"}});
  const auto refused = check(tcp_only.endpoint, Udp{.send = "ping"});
  const auto ignored = check(silent.endpoint, Udp{.send = "ping"}, 30ms);
  const auto awaited = check(silent.endpoint, Udp{.send = "ping", .expect = Match{.what = "pong"}}, 30ms);
  shell.checks.set({{answered, refused, ignored, awaited}});
  shell.run_until([&] {
    return shell.first_of(answered) && shell.first_of(refused) && shell.first_of(ignored) && shell.first_of(awaited);
  });
  CHECK(shell.first_of(answered)->result.outcome == Outcome::passed);
  CHECK(shell.first_of(refused)->result.sentence == "udp " + to_string(refused.target) + ": Connection refused");
  CHECK(shell.first_of(refused)->result.outcome == Outcome::failed);
  CHECK(shell.first_of(ignored)->result.outcome == Outcome::passed);
  CHECK(shell.first_of(awaited)->result.sentence == "udp " + to_string(awaited.target) + ": timed out after 30 ms");
}

TEST_CASE("dns: the question in wire form") {
  CHECK(dns::pack({.id = 0x1234, .name = "example.org", .type = 1}) ==
        "\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1"s);
  CHECK(dns::pack({.id = 1, .name = "example.org.", .type = 1}) ==
        dns::pack({.id = 1, .name = "example.org", .type = 1}));
  CHECK(dns::pack({.id = 0, .name = ".", .type = 6}) == "\0\0\1\0\0\1\0\0\0\0\0\0\0\0\6\0\1"s);
}

TEST_CASE("dns: the verdict on a response by table") {
  const Dns any{.name = "example.org", .type = 1};
  const Dns nx{.name = "example.org", .type = 1, .rcode = 3};
  const Dns one{.name = "example.org", .type = 1, .address = net::Address::parse("192.0.2.1")};
  const Dns six{.name = "example.org", .type = 1, .address = net::Address::parse("2001:db8::1")};
  const std::tuple<Dns, std::string, std::string> table[] = {
      {any, dns_response(0x8180, 1, a_record), "NOERROR"},
      {any, dns_response(0x8180, 0, ""), "NOERROR"},
      {any, dns_response(0x8182, 0, ""), "SERVFAIL, expected NOERROR"},
      {any, "\x12\x34\x81\x81\0\0\0\0\0\0\0\0"s, "FORMERR, expected NOERROR"},
      {nx, dns_response(0x8183, 0, ""), "NXDOMAIN"},
      {one, dns_response(0x8180, 2, cname_record + a_record), "NOERROR"},
      {one, dns_response(0x8180, 1, aaaa_record), "192.0.2.1 not among the answers: 2001:db8::1"},
      {one, dns_response(0x8180, 0, ""), "192.0.2.1 not among the answers: none"},
      {one, dns_response(0x8380, 1, ""), "192.0.2.1 not among the answers: none, truncated"},
      {six, dns_response(0x8180, 2, a_record + aaaa_record), "NOERROR"},
      {any, dns_response(0x8180, 2, a_record), "malformed response"},
      {any, dns_response(0x8180, 1, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\3\xc0\0\2"s), "malformed response"},
      {any, dns_response(0x8180, 1, "\x80" + a_record), "malformed response"},
      {any, dns_response(0x0100, 0, ""), ""},  // a query, not a response
      {any, "\x12\x35" + dns_response(0x8180, 0, "").substr(2), ""},
      {any, "", ""},
      {{.name = "example.net", .type = 1}, dns_response(0x8180, 1, a_record), ""},
      {{.name = "EXAMPLE.org", .type = 1}, dns_response(0x8180, 1, a_record), "NOERROR"},
  };
  for (const auto& [spec, response, sentence] : table) {
    DnsExchange exchange(target, spec, 0x1234);
    const auto result = exchange.receive(response);
    if (sentence.empty()) {
      CHECK_FALSE(result);
      continue;
    }
    REQUIRE(result);
    CHECK(result->sentence == "dns 10.0.0.7:53 " + spec.name + ": " + sentence);
    CHECK((result->outcome == Outcome::passed) == (sentence == "NOERROR" || sentence == "NXDOMAIN"));
  }
}

TEST_CASE("dns: cut and damaged responses are never read beyond their end") {
  const auto whole = dns_response(0x8180, 3, cname_record + a_record + aaaa_record);
  const dns::Question question{.id = 0x1234, .name = "example.org", .type = 1};
  REQUIRE(dns::parse(whole, question)->addresses.size() == 2);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_FALSE(dns::parse(std::string(whole.data(), length), question));  // a copy: sanitizers see its end
  }
  std::mt19937 random(5);  // NOLINT: replayable
  for (int round = 0; round < 5000; ++round) {
    auto damaged = whole;
    for (auto flips = 1 + random() % 4; flips > 0; --flips)
      damaged[12 + random() % (whole.size() - 12)] ^= static_cast<char>(1U << random() % 8);
    damaged.shrink_to_fit();
    if (const auto response = dns::parse(damaged, question)) REQUIRE(response->addresses.size() <= 3);
  }
}

TEST_CASE("icmp: an echo is recognised by its token, with or without an IP header in front") {
  EchoExchange exchange(target.address, 0x0102030405060708);
  auto message = exchange.question();
  REQUIRE(message.size() == 16);
  CHECK(message[0] == 8);
  CHECK(internet_checksum(message) == 0);  // RFC 1071: over a message with its checksum the sum is zero
  CHECK_FALSE(exchange.receive(message));  // our own request, as a raw socket on loopback sees it
  message[0] = 0;
  CHECK(exchange.receive(message)->sentence == "icmp 10.0.0.7: answered");
  CHECK(exchange.receive("\x45" + std::string(19, '\0') + message));
  CHECK_FALSE(exchange.receive("\x4f" + std::string(19, '\0') + message));  // a header longer than what came
  for (std::size_t length = 0; length < message.size(); ++length)
    CHECK_FALSE(exchange.receive(message.substr(0, length)));
  message.back() ^= 1;
  CHECK_FALSE(exchange.receive(message));

  EchoExchange six(*net::Address::parse("::1"), 7);
  CHECK(six.question()[0] == static_cast<char>(128));
  CHECK(internet_checksum("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7"s) ==
        static_cast<std::uint16_t>(~0xddf2));  // RFC 1071 section 3
}

TEST_CASE("icmp over a socket: loopback answers, or we may not ask") {
  Shell shell;
  const auto key = check(*net::Endpoint::parse("127.0.0.1:0"), Icmp{});
  const auto result = shell.first_result(key);
  if (result.outcome == Outcome::blocked) {
    WARN(result.sentence);
    CHECK(result.sentence.starts_with("icmp 127.0.0.1: could not be run: "));
  } else {
    CHECK(result.sentence == "icmp 127.0.0.1: answered");
    CHECK(result.outcome == Outcome::passed);
  }
}
