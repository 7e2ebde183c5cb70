// Servers that do not behave: each gets the right verdict, on time, with a sentence that tells what it did.
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "checkers/probes/http.h"
#include "checkers/probes/tcp.h"
#include "checkers/probes/udp.h"
#include "server.h"
#include "shell.h"
#include "test/catch.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

/// The result of the first http probe of a server with that script, without "GET http://127.0.0.1:PORT/: " before it.
std::string first_sentence(const Server::Script& script, std::chrono::milliseconds timeout = 10s) {
  Server server(script);
  Shell shell;
  const auto result = shell.first_result(check(server.endpoint(), Http{}, timeout));
  CHECK(result.outcome == Outcome::failed);
  const auto prefix = "GET http://" + to_string(server.endpoint()) + "/: ";
  REQUIRE(result.sentence.starts_with(prefix));
  return result.sentence.substr(prefix.size());
}

}  // namespace

TEST_CASE("a server that accepts and is silent") {
  CHECK(first_sentence([](Peer& peer) { peer.hold(); }, 50ms) == "timed out after 50 ms");
}

TEST_CASE("a server that drips one byte after the other does not outlive the deadline") {
  const auto drip = [](Peer& peer) {
    for (const char c : std::string("HTTP/1.1 200 OK\r\nX-Long: ") + std::string(4000, 'x')) {
      if (!peer.write({&c, 1}) || !peer.pause(5)) return;
    }
  };
  CHECK(first_sentence(drip, 80ms) == "timed out after 80 ms");
}

TEST_CASE("a server whose header has no end") {
  const auto flood = [](Peer& peer) {
    peer.write("HTTP/1.1 200 OK\r\n");
    while (peer.write("X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")) {
    }
  };
  CHECK(first_sentence(flood) == "header larger than 16384 bytes");
}

TEST_CASE("a server whose body has no end") {
  const auto flood = [](Peer& peer) {
    peer.read();
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.write("40\r\n" + std::string(64, 'a') + "\r\n")) {
    }
  };
  Server server(flood);
  Shell shell;
  const auto result = shell.first_result(check(server.endpoint(), Http{.expect_body = Match{.what = "well"}}));
  CHECK(result.outcome == Outcome::failed);
  CHECK(result.sentence.find("\"well\" not in the first 65536 bytes of the body, which begins \"aaaa") !=
        std::string::npos);
}

TEST_CASE("ten thousand targets that refuse at once are all found down, in bounded memory") {
  // On any address, so that no other program can listen there.
  const net::Fd port(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE((bind(port.get(), generic, length) == 0 && getsockname(port.get(), generic, &length) == 0));
  std::vector<Key> keys;
  for (int i = 0; i < 10'000; ++i) {
    const auto target = fmt::format("127.9.{}.{}:{}", i / 100, i % 100 + 1, ntohs(address.sin_port));
    keys.push_back({.target = net::Endpoint::parse(target).value(),
                    .spec = {.interval = 2s, .timeout = 1s, .thresholds = {.rise = 2, .fall = 3}}});
  }
  const auto resident = [] {
    long pages = 0, kept = 0;
    std::ifstream("/proc/self/statm") >> pages >> kept;
    return kept * sysconf(_SC_PAGESIZE);
  };
  auto loop = net::Loop::create().value();
  std::size_t down = 0;
  net::Duration latest{};
  Checkers checks(loop, [&](const Report& report) {
    REQUIRE(report.result.outcome == Outcome::failed);
    down += report.before == HealthState::unknown && report.after.state == HealthState::down ? 1 : 0;
    latest = std::max(latest, report.result.took);
  });
  const auto before = resident();
  checks.set(keys);
  const auto limit = net::monotonic_now() + 20s;
  while (down < keys.size() && net::monotonic_now() < limit) REQUIRE(loop.turn(5ms));
  CHECK(down == keys.size());
  CHECK(latest < 1s);
  CHECK(checks.in_flight() <= static_cast<std::size_t>(Checkers::start_budget));
  // What they may take is measured by the benchmark; here, where memory is instrumented, none may keep a buffer.
  CHECK(resident() - before < 64'000'000);
}

TEST_CASE("a server that resets the connection in the middle") {
  const auto reset = [](Peer& peer) {
    peer.read();
    peer.write("HTTP/1.1 200 OK\r\nContent-");
    peer.reset_on_close();
  };
  CHECK(first_sentence(reset) == "Connection reset by peer");
}

TEST_CASE("a server that closes without a word, or in the middle") {
  CHECK(first_sentence([](Peer& peer) { peer.read(); }) == "closed without an answer");
  CHECK(first_sentence([](Peer& peer) {
          peer.read();
          peer.write("HTTP/1.1 200 OK\r\nContent-");
        }) == "closed inside the header");
}

TEST_CASE("a server that speaks another protocol") {
  CHECK(first_sentence([](Peer& peer) {
          peer.write("SSH-2.0-OpenSSH_9.2\r\n");
          peer.hold();
        }) == R"(not an HTTP status line: "SSH-2.0-OpenSSH_9.2")");
}

TEST_CASE("a server that answers before it is asked, and closes") {
  // What it said before it closed counts, even though the request could not be delivered any more.
  CHECK(first_sentence([](Peer& peer) { peer.write("HTTP/1.1 500 Broken\r\n\r\n"); }) == "status 500, expected 200");
}

TEST_CASE("a host that does not answer the connection times out, and says that it was the connection") {
  Listener full(0);  // its queue holds one connection; further SYNs are dropped
  const auto fill = [&] {
    net::Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(full.endpoint.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return fd;
  };
  const net::Fd fillers[] = {fill(), fill(), fill()};
  Shell shell;
  const auto result = shell.first_result(check(full.endpoint, Tcp{}, 50ms));
  CHECK(result.outcome == Outcome::failed);
  CHECK(result.sentence == "connect " + to_string(full.endpoint) + ": timed out after 50 ms");
}

TEST_CASE("an expression costs a turn of the loop no more than its work, whatever a server sends") {
  const auto hostile = [](std::size_t size, int kind) {
    std::string body;
    for (unsigned random = 1; body.size() < size; random = random * 1103515245U + 12345U)
      body += kind == 0 ? std::string("status") : std::string(1, "stau"[random >> 16U & 3U]);
    body.resize(size);
    return body;
  };
  for (const auto* what : {"status.{0,1000}ok", "s.{0,500}k", "s.{0,12}k", "[sta]{0,300}k", "((((s?){30})t?){6}a?)*K",
                           "(?i)status: (ok|green)", "k"}) {
    INFO(what);
    const Match match{.what = what, .kind = Match::Kind::regex};
    const auto instructions = Matcher::prepare(match, 1).value().instructions();
    const auto most = regex_work_max / instructions;
    CHECK_FALSE(Matcher::prepare(match, most + 1));
    const auto matcher = Matcher::prepare(match, most);
    REQUIRE(matcher);
    for (const int kind : {0, 1}) {
      const auto began = clock();
      CHECK_FALSE(matcher->find(hostile(most, kind)));
      // Without the bound the first takes 3 s for a body of 1 MiB.
      CHECK(static_cast<double>(clock() - began) / CLOCKS_PER_SEC < 2);
    }
  }
}

TEST_CASE("an expression that costs too much for what it looks at is refused where it is made ready") {
  const Match body{.what = "status.{0,1000}ok", .kind = Match::Kind::regex};
  const auto refused = HttpPlan::prepare({.expect_body = body});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.starts_with(R"(regular expression "status.{0,1000}ok": )"));
  CHECK(refused.error().message.ends_with(" instructions are too many for 65536 bytes"));
  CHECK(HttpPlan::prepare({.expect_body = body, .max_body = 4096}));
  CHECK_FALSE(HttpPlan::prepare({.expect_headers = {{"server", body}}}));
  CHECK_FALSE(UdpPlan::prepare({.send = "", .expect = Match{.what = "s.{0,200}k", .kind = Match::Kind::regex}}));
  const Match step{.what = "a.{0,40}b", .kind = Match::Kind::regex};
  CHECK(TcpScript::prepare({.script = {step}}));
  CHECK_FALSE(TcpScript::prepare({.script = {step, Tcp::Send{"PING"}, step}}));
}
