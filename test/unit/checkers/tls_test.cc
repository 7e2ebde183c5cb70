#include "checkers/probes/tls.h"

#include <random>

#include "checkers/probes/http.h"
#include "checkers/probes/tcp.h"
#include "server.h"
#include "shell.h"
#include "test/catch.h"
#include "tls_server.h"

using namespace checkers;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:443");

/// Carries bytes between the two until there is a verdict, or both are silent.
std::optional<Result> carry(Conversation& conversation, TlsPeer& peer, std::size_t portion = std::string::npos) {
  std::string out;
  auto result = conversation.begin(out);
  while (!result && !out.empty()) {
    const auto answer = peer.exchange(std::exchange(out, {}));
    for (std::size_t at = 0; at < answer.size() && !result; at += std::min(portion, answer.size())) {
      result = conversation.receive(std::string_view(answer).substr(at, portion), out);
    }
  }
  return result;
}

/// The verdict on a handshake with a server.
Result handshake(const Tls& spec, SSL_CTX* server, const std::string& host = "") {
  const auto context = TlsContext::prepare(spec, host);
  REQUIRE(context);
  TlsPeer peer(server);
  const auto conversation = context->wrap(target, nullptr);
  const auto result = carry(*conversation, peer);
  REQUIRE(result);
  return *result;
}

/// Whether a byte is part of a record's version, which nobody looks at (RFC 8446 section 5.1).
bool in_record_version(std::string_view records, std::size_t position) {
  const auto byte = [&](std::size_t at) { return static_cast<std::size_t>(static_cast<unsigned char>(records[at])); };
  for (std::size_t at = 0; at + 5 <= records.size(); at += 5 + (byte(at + 3) << 8 | byte(at + 4))) {
    if (position == at + 1 || position == at + 2) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("the verdict on a handshake by table") {
  TestCa ca;
  TestCa other;
  const Tls by_address{.ca = ca.file()};
  const Tls by_name{.ca = ca.file(), .name = "www.example.org"};
  const std::tuple<Tls, TestCa::Issue, std::string> table[] = {
      {by_address, {}, "TLSv1.3, 30 days left"},
      {by_name, {}, "TLSv1.3, 30 days left"},
      {by_name, {.names = "DNS:*.example.org"}, "TLSv1.3, 30 days left"},
      {by_address, {.names = "IP:10.0.0.8"}, "certificate: IP address mismatch"},
      {by_name, {.names = "DNS:mail.example.org"}, "certificate: hostname mismatch"},
      {by_name, {.to_days = -1}, "certificate: certificate has expired"},
      {by_name, {.from_days = 1}, "certificate: certificate is not yet valid"},
      {{.ca = other.file()}, {}, "certificate: unable to get local issuer certificate"},
      {{}, {}, "certificate: unable to get local issuer certificate"},
      {{.verify = false}, {.names = "DNS:nobody", .to_days = -3}, "TLSv1.3, -3 days left"},
      {{.ca = ca.file(), .min_days_left = 30}, {}, "TLSv1.3, 30 days left"},
      {{.ca = ca.file(), .min_days_left = 31}, {}, "certificate expires in 30 days, fewer than 31"},
  };
  for (const auto& [spec, issue, sentence] : table) {
    const auto result = handshake(spec, ca.server(issue));
    CHECK(result.sentence == "tls 10.0.0.7:443: " + sentence);
    CHECK((result.outcome == Outcome::passed) == sentence.starts_with("TLSv1.3"));
  }
}

TEST_CASE("the host of the request is the name to verify where the spec has none") {
  TestCa ca;
  auto* server = ca.server({.names = "DNS:www.example.org"});
  CHECK(handshake({.ca = ca.file()}, server, "www.example.org").outcome == Outcome::passed);
  CHECK(handshake({.ca = ca.file(), .name = "other"}, server, "www.example.org").outcome == Outcome::failed);
}

TEST_CASE("a server below the minimum version is refused") {
  TestCa ca;
  auto* old = ca.server({});
  SSL_CTX_set_max_proto_version(old, TLS1_2_VERSION);
  CHECK(handshake({.ca = ca.file()}, old).sentence == "tls 10.0.0.7:443: TLSv1.2, 30 days left");
  const auto refused = handshake({.ca = ca.file(), .min_version = Tls::Version::tls1_3}, old);
  CHECK(refused.outcome == Outcome::failed);
  CHECK(refused.sentence == "tls 10.0.0.7:443: handshake: tlsv1 alert protocol version");
}

TEST_CASE("a CA file that is not there is this host's fault and named, until it is there") {
  const auto context = TlsContext::prepare({.ca = "/nonexistent/ca.pem"}, "");
  REQUIRE_FALSE(context);
  CHECK(context.error().message.starts_with("read the CA file /nonexistent/ca.pem: "));
  const TestCa ca;
  const auto file = ca.file();
  const auto later = file + ".later";
  const auto prober = make_prober({.kind = Tcp{.tls = Tls{.ca = later}}});
  auto loop = net::Loop::create().value();
  const auto closed = *net::Endpoint::parse("127.0.0.1:1");
  const auto probe = [&] {
    std::optional<Result> result;
    auto started = prober->start(loop, closed, 0, [&](Result over) { result = std::move(over); });
    if (auto* over = std::get_if<Result>(&started)) result = std::move(*over);
    while (!result) REQUIRE(loop.turn(std::chrono::seconds(1)));
    return *result;
  };
  const auto blocked = probe();
  CHECK(blocked.outcome == Outcome::blocked);
  CHECK(blocked.local_fault.starts_with("read the CA file " + later));
  std::filesystem::copy_file(file, later);
  CHECK(probe().local_fault.empty());
  std::filesystem::remove(later);
}

TEST_CASE("a conversation inside TLS is judged as it would be outside, however the bytes are cut") {
  TestCa ca;
  auto* server = ca.server({});
  const auto plan = HttpPlan::prepare({.path = "/x", .expect_body = Match{.what = "fine"}, .tls = Tls{}});
  for (const std::size_t portion : {1U, 7U, 100'000U}) {
    const auto context = TlsContext::prepare({.ca = ca.file()}, "");
    TlsPeer peer(server);
    peer.answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
    const auto conversation = context->wrap(target, std::make_unique<HttpConversation>(target, *plan));
    const auto result = carry(*conversation, peer, portion);
    REQUIRE(result);
    CHECK(result->sentence == "GET https://10.0.0.7:443/x: status 200, body as expected");
    CHECK(peer.heard.starts_with("GET /x HTTP/1.1\r\n"));
  }
}

TEST_CASE("records of one byte each are not judged one by one") {
  // An expression is tried on all that there is, so that a peer could else make one portion cost a thousand times more.
  struct Counting final : Conversation {
    std::optional<Result> begin(std::string& out) override {
      out += "hello";
      return std::nullopt;
    }
    std::optional<Result> receive(std::string_view bytes, std::string&) override {
      ++portions;
      heard += bytes;
      return heard.ends_with(".") ? std::optional(passed("count", heard)) : std::nullopt;
    }
    std::optional<Result> closed() override { return failed("count", "closed"); }
    [[nodiscard]] std::string doing() const override { return "count"; }
    std::string heard;
    int portions = 0;
  };
  TestCa ca;
  const auto context = TlsContext::prepare({.ca = ca.file()}, "");
  REQUIRE(context);
  TlsPeer peer(ca.server({}));
  peer.answer = std::string(200, 'x') + ".";
  peer.record = 1;
  auto plain = std::make_unique<Counting>();
  const auto& counted = *plain;
  const auto conversation = context->wrap(target, std::move(plain));
  const auto result = carry(*conversation, peer);
  REQUIRE(result);
  CHECK(result->outcome == Outcome::passed);
  CHECK(counted.heard.size() == 201);
  CHECK(counted.portions == 1);
}

TEST_CASE("sessions are resumed, but not for ever") {
  TestCa ca;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto* server = ca.server({});
    SSL_CTX_set_max_proto_version(server, version);
    const auto context = TlsContext::prepare({.ca = ca.file()}, "");
    const auto plan = HttpPlan::prepare({.expect_body = Match{.what = "fine"}});
    std::string resumed;
    for (int i = 0; i < TlsContext::resumptions + 3; ++i) {
      TlsPeer peer(server);
      peer.answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine";
      const auto conversation = context->wrap(target, std::make_unique<HttpConversation>(target, *plan));
      REQUIRE(carry(*conversation, peer)->outcome == Outcome::passed);
      resumed += peer.resumed() ? 'r' : 'F';
    }
    CHECK(resumed == "F" + std::string(TlsContext::resumptions, 'r') + "Fr");
  }
}

TEST_CASE("what is not TLS is refused, and so is a handshake with flipped bits") {
  TestCa ca;
  const auto context = TlsContext::prepare({.ca = ca.file()}, "");
  std::string out;
  {
    const auto conversation = context->wrap(target, nullptr);
    REQUIRE_FALSE(conversation->begin(out));
    const auto result = conversation->receive("HTTP/1.1 400 Bad Request\r\n\r\n", out);
    REQUIRE(result);
    CHECK(result->outcome == Outcome::failed);
    CHECK(result->sentence == "tls 10.0.0.7:443: handshake: wrong version number");
  }
  {
    const auto conversation = context->wrap(target, nullptr);
    REQUIRE_FALSE(conversation->begin(out));
    CHECK(conversation->closed().value().sentence == "tls 10.0.0.7:443: closed in the middle of the handshake");
  }
  auto* server = ca.server({});
  std::mt19937 random(3);  // NOLINT: replayable
  for (int round = 0; round < 200; ++round) {
    TlsPeer peer(server);
    out.clear();
    const auto conversation = context->wrap(target, nullptr);
    REQUIRE_FALSE(conversation->begin(out));
    auto answer = peer.exchange(out);
    const auto position = random() % answer.size();
    if (in_record_version(answer, position)) continue;
    answer[position] ^= static_cast<char>(1U << random() % 8);
    auto result = conversation->receive(answer, out);
    if (!result) result = conversation->closed();
    REQUIRE(result->outcome == Outcome::failed);
  }
}

TEST_CASE("over a socket: a server that answers a handshake with nonsense is down") {
  Server server([](Peer& peer) {
    peer.read();
    peer.write("\x16\x03\x03nonsense");
    peer.hold();
  });
  Shell shell;
  const auto result = shell.first_result(check(server.endpoint(), Tcp{.tls = Tls{}}));
  CHECK(result.outcome == Outcome::failed);
  CHECK(result.sentence.starts_with("tls " + to_string(server.endpoint()) + ": handshake: "));
}
