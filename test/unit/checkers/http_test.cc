#include "checkers/probes/http.h"

#include <random>
#include <string>

#include "slow_work.h"
#include "test/catch.h"

using namespace std::literals;
using namespace checkers;
using Parsing = HttpResponse::State;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:8080");

/// The response fed whole; then closed if it says so with a trailing "<FIN>".
struct Parsed {
  HttpResponse response;
  std::string body;

  explicit Parsed(std::string_view text, std::size_t portion = std::string_view::npos) {
    const bool fin = text.ends_with("<FIN>");
    if (fin) text.remove_suffix(5);
    for (std::size_t at = 0; at < text.size(); at += std::min(portion, text.size())) {
      response.feed(text.substr(at, portion), body);
    }
    if (fin) response.close();
  }
};

/// The verdict on a response that arrives in one piece and then, without one, ends.
Result verdict(const Http& spec, std::string_view text, std::size_t portion = std::string_view::npos) {
  const auto plan = HttpPlan::prepare(spec);
  REQUIRE(plan);
  HttpConversation conversation(target, *plan);
  std::string out;
  REQUIRE_FALSE(conversation.begin(out));
  for (std::size_t at = 0; at < text.size(); at += std::min(portion, text.size())) {
    const auto result = work_done(conversation, conversation.receive(text.substr(at, portion), out), out);
    if (result) return *result;
  }
  return work_done(conversation, conversation.closed(), out).value();
}

struct Sample {
  std::string text;
  Parsing state;
  int status;
  std::string body;
};

const Sample samples[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Parsing::complete, 200, "hello"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more", Parsing::complete, 200, "hello"},
    {"HTTP/1.0 200 OK\r\n\r\nto the end<FIN>", Parsing::complete, 200, "to the end"},
    {"HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", Parsing::complete, 200, ""},
    {"HTTP/1.1 503 Service Unavailable\nX: y\n\nsorry<FIN>", Parsing::complete, 503, "sorry"},
    {"HTTP/1.1 204 No Content\r\n\r\n", Parsing::complete, 204, ""},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", Parsing::complete, 304, ""},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
     "1\r\n\r\nx",
     Parsing::complete, 200, "x"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;ext=\"1\"\r\n!\r\n0\r\nTrailer: x\r\n\r\n",
     Parsing::complete, 200, "hello!"},
    {"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nContent-Length: 3\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
     Parsing::complete, 200, "0123456789"},
};

}  // namespace

TEST_CASE("well-formed responses, in portions of any size") {
  for (const auto& sample : samples) {
    INFO(sample.text);
    for (const std::size_t portion : {1U, 2U, 3U, 7U, 4096U}) {
      const Parsed parsed(sample.text, portion);
      INFO(portion << " bytes at a time: " << parsed.response.error());
      CHECK(parsed.response.state() == sample.state);
      CHECK(parsed.response.status() == sample.status);
      CHECK(parsed.body == sample.body);
    }
  }
}

TEST_CASE("a response that is cut off anywhere is not taken for a whole one") {
  for (const auto& sample : samples) {
    if (sample.text.ends_with("<FIN>") || sample.text.ends_with("more")) continue;
    for (std::size_t length = 0; length < sample.text.size(); ++length) {
      INFO(sample.text.substr(0, length));
      Parsed parsed(sample.text.substr(0, length) + "<FIN>");
      CHECK(parsed.response.state() == Parsing::malformed);
      CHECK(parsed.response.error().starts_with("closed "));
    }
  }
}

TEST_CASE("what is not HTTP is refused with a sentence that shows it") {
  const std::pair<std::string, std::string> table[] = {
      {"220 mail ESMTP\r\n", R"(not an HTTP status line: "220 mail ESMTP")"},
      {"\r\n", R"(not an HTTP status line: "")"},
      {"HTTP/2 200\r\n", R"(not an HTTP status line: "HTTP/2 200")"},
      {"HTTP/1.1  200 OK\r\n", R"(not an HTTP status line: "HTTP/1.1  200 OK")"},
      {"HTTP/1.1 2000 OK\r\n", R"(not an HTTP status line: "HTTP/1.1 2000 OK")"},
      {"HTTP/1.1 20 OK\r\n", R"(not an HTTP status line: "HTTP/1.1 20 OK")"},
      {"HTTP/1.1 099 OK\r\n", R"(not an HTTP status line: "HTTP/1.1 099 OK")"},
      {"HTTP/1.1 600 OK\r\n", R"(not an HTTP status line: "HTTP/1.1 600 OK")"},
      {"HTTP/1.1 -20 OK\r\n", R"(not an HTTP status line: "HTTP/1.1 -20 OK")"},
      {"http/1.1 200 OK\r\n", R"(not an HTTP status line: "http/1.1 200 OK")"},
      {"HTTP/1.1 200 OK\r\nno colon\r\n", R"(malformed header field: "no colon")"},
      {"HTTP/1.1 200 OK\r\n: empty\r\n", R"(malformed header field: ": empty")"},
      {"HTTP/1.1 200 OK\r\nName : x\r\n", R"(malformed header field: "Name : x")"},
      {"HTTP/1.1 200 OK\r\n folded: x\r\n", R"(malformed header field: " folded: x")"},
      {"HTTP/1.1 200 OK\r\nA: b\rc\r\n", R"(malformed header field: "A: b\rc")"},
      {"HTTP/1.1 200 OK\r\nA: b\0c\r\n"s, R"(malformed header field: "A: b\x00c")"},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", R"(malformed content length: "-1")"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n", R"(malformed content length: "5, 5")"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n",
       R"(malformed content length: "99999999999999999999")"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n", "contradicting content lengths"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", R"(unsupported transfer coding: "gzip, chunked")"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", R"(malformed chunk size: "xyz")"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", R"(malformed chunk size: "")"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "chunk longer than its size"},
  };
  for (const auto& [text, error] : table) {
    for (const std::size_t portion : {1U, 4096U}) {
      const Parsed parsed(text, portion);
      INFO(text);
      CHECK(parsed.response.state() == Parsing::malformed);
      CHECK(parsed.response.error() == error);
    }
  }
}

TEST_CASE("a header without end is refused after its limit, however it is endless") {
  const std::pair<std::string, std::string> table[] = {
      {"", "x"},                                            // a line without end
      {"HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789\r\n"},  // lines without end
      {"", "HTTP/1.1 100 Continue\r\n\r\n"},                // interim responses without end
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "Trailer: x\r\n"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "ext;"},
  };
  for (const auto& [head, filler] : table) {
    HttpResponse response;
    std::string body;
    response.feed(head, body);
    std::size_t fed = head.size();
    while (fed < 3 * HttpResponse::head_limit && response.feed(filler, body) != Parsing::malformed)
      fed += filler.size();
    CHECK(response.state() == Parsing::malformed);
    CHECK(fed <= HttpResponse::head_limit + 100);
    CHECK(response.error().ends_with("larger than 16384 bytes"));
  }
}

TEST_CASE("responses with flipped bits are either read or refused, and parsed alike in any portions") {
  std::mt19937 random(11);  // NOLINT: replayable
  for (int round = 0; round < 4000; ++round) {
    auto text = samples[random() % std::size(samples)].text;
    for (auto flips = 1 + random() % 3; flips > 0; --flips) {
      text[random() % text.size()] ^= static_cast<char>(1U << random() % 8);
    }
    const Parsed whole(text);
    const Parsed bytewise(text, 1);
    INFO(text);
    REQUIRE(whole.response.state() == bytewise.response.state());
    REQUIRE(whole.response.status() == bytewise.response.status());
    REQUIRE(whole.response.error() == bytewise.response.error());
    REQUIRE(whole.body == bytewise.body);
    REQUIRE((whole.response.state() == Parsing::malformed) == !whole.response.error().empty());
    REQUIRE(whole.response.error().size() < 250);
  }
}

TEST_CASE("the request names path and host as RFC 9110 wants them") {
  const auto request = [](const char* endpoint, const Http& spec) {
    const auto plan = HttpPlan::prepare(spec).value();
    const auto text = plan.text(plan.first(*net::Endpoint::parse(endpoint)));
    return text.substr(0, text.find("\r\nUser-Agent: directord/"));
  };
  CHECK(request("10.0.0.7:80", {}) == "GET / HTTP/1.1\r\nHost: 10.0.0.7");
  CHECK(request("10.0.0.7:8080", {.path = "/a?b"}) == "GET /a?b HTTP/1.1\r\nHost: 10.0.0.7:8080");
  CHECK(request("[2001:db8::7]:80", {}) == "GET / HTTP/1.1\r\nHost: [2001:db8::7]");
  CHECK(request("[2001:db8::7]:81", {}) == "GET / HTTP/1.1\r\nHost: [2001:db8::7]:81");
  CHECK(request("10.0.0.7:443", {.tls = Tls{}}) == "GET / HTTP/1.1\r\nHost: 10.0.0.7");
  CHECK(request("10.0.0.7:80", {.tls = Tls{}}) == "GET / HTTP/1.1\r\nHost: 10.0.0.7:80");
  CHECK(request("10.0.0.7:8080", {.host = "www.example.org"}) == "GET / HTTP/1.1\r\nHost: www.example.org");
}

TEST_CASE("the request carries method, headers and body") {
  const Http spec{.path = "/api",
                  .host = "x",
                  .method = "POST",
                  .headers = {{"X-Check", "1"}},
                  .authorization = "Basic eA==",
                  .body = "ping"};
  const auto plan = HttpPlan::prepare(spec).value();
  const auto text = plan.text(plan.first(target));
  CHECK(text.starts_with("POST /api HTTP/1.1\r\nHost: x\r\n"));
  CHECK(
      text.ends_with("Connection: close\r\nX-Check: 1\r\nAuthorization: Basic eA==\r\nContent-Length: 4\r\n\r\nping"));
}

TEST_CASE("the verdict on an http check by table") {
  const Http health{.path = "/health", .status = {200, 301}};
  const Http header{.path = "/health",
                    .expect_headers = {{"x-role", {.what = "^primary$", .kind = Match::Kind::regex}}}};
  const Http body{.path = "/health", .expect_body = Match{.what = "all good"}, .max_body = 32};
  const Http expression{.path = "/health", .expect_body = Match{.what = "lag=[0-9]\\b", .kind = Match::Kind::regex}};
  const Http head{.path = "/health", .method = "HEAD"};
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::tuple<Http, std::string, Outcome, std::string> table[] = {
      {health, ok + "\r\n", Outcome::passed, "status 200"},
      {health, "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", Outcome::passed, "status 301"},
      {health, "HTTP/1.1 503 Unavailable\r\n\r\n", Outcome::failed, "status 503, expected 200, 301"},
      {health, ok, Outcome::failed, "closed inside the header"},
      {health, "", Outcome::failed, "closed without an answer"},
      {health, "SSH-2.0-x\r\n", Outcome::failed, R"(not an HTTP status line: "SSH-2.0-x")"},
      {header, ok + "X-Role: primary\r\n\r\n", Outcome::passed, "status 200"},
      {header, ok + "x-role: secondary\r\nX-ROLE: primary\r\n\r\n", Outcome::passed, "status 200"},
      {header, ok + "X-Role: primary?\r\n\r\n", Outcome::failed, R"(header x-role: "primary?", expected /^primary$/)"},
      {header, ok + "\r\n", Outcome::failed, "no header x-role, expected /^primary$/"},
      {header, "HTTP/1.1 103 Hints\r\nX-Role: primary\r\n\r\n" + ok + "\r\n", Outcome::failed,
       "no header x-role, expected /^primary$/"},
      {body, ok + "\r\nyes, all good<", Outcome::passed, "status 200, body as expected"},
      {body, ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nall g\r\n3\r\nood\r\n", Outcome::passed,
       "status 200, body as expected"},
      {body, ok + "\r\nall bad", Outcome::failed, R"("all good" not in the whole of the body, which begins "all bad")"},
      {body, ok + "Content-Length: 3\r\n\r\nall good", Outcome::failed,
       R"("all good" not in the whole of the body, which begins "all")"},
      {body, ok + "\r\n" + std::string(26, '.') + "all good", Outcome::failed,
       R"("all good" not in the first 32 bytes of the body, which begins "..........................all go")"},
      {body, ok + "Content-Length: 9\r\n\r\nall", Outcome::failed, "closed inside the body"},
      {body, "HTTP/1.1 204 None\r\n\r\n", Outcome::failed, "status 204, expected 200"},
      {expression, ok + "\r\nlag=7 s", Outcome::passed, "status 200, body as expected"},
      {expression, ok + "\r\nlag=17 s", Outcome::failed,
       R"(/lag=[0-9]\b/ not in the whole of the body, which begins "lag=17 s")"},
      {head, ok + "Content-Length: 100\r\n\r\n", Outcome::passed, "status 200"},
  };
  for (const auto& [spec, answer, outcome, sentence] : table) {
    INFO(answer);
    for (const std::size_t portion : {1U, 5U, 4096U}) {
      const auto result = verdict(spec, answer, portion);
      CHECK(result.outcome == outcome);
      CHECK(result.sentence == spec.method + " http://10.0.0.7:8080/health: " + sentence);
    }
  }
}

TEST_CASE("a bad expression is reported where the check is made ready") {
  const auto plan = HttpPlan::prepare({.expect_body = Match{.what = "(", .kind = Match::Kind::regex}});
  REQUIRE_FALSE(plan);
  CHECK(plan.error().message == R"(regular expression "(": missing ): ()");
}
