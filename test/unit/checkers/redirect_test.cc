#include "checkers/probes/redirect.h"

#include <random>

#include "server.h"
#include "shell.h"
#include "test/catch.h"

using namespace checkers;

namespace {

Request asked(std::string host = "www.example.org", std::string path = "/a/b?c", bool tls = false) {
  return {.tls = tls,
          .target = net::Endpoint::parse("10.0.0.7:8080").value(),
          .host = std::move(host),
          .path = std::move(path)};
}

/// "http 10.0.0.7:8080 www.example.org /path", or why not.
std::string led(const Request& from, std::string_view location, int status = 302) {
  const auto next = follow(from, status, location);
  if (!next) return next.error();
  return std::string(next->tls ? "https " : "http ") + to_string(next->target) + " " + next->host + " " + next->path;
}

}  // namespace

TEST_CASE("a redirect without a host stays where it is") {
  CHECK(led(asked(), "/up") == "http 10.0.0.7:8080 www.example.org /up");
  CHECK(led(asked(), "up?x=1#top") == "http 10.0.0.7:8080 www.example.org /a/up?x=1");
  CHECK(led(asked(), "?d") == "http 10.0.0.7:8080 www.example.org /a/b?d");
  CHECK(led(asked(), "") == "http 10.0.0.7:8080 www.example.org /a/b?c");
  CHECK(led(asked("x", "/"), "up") == "http 10.0.0.7:8080 x /up");
}

TEST_CASE("the authority that was asked is the endpoint that was asked") {
  CHECK(led(asked(), "http://www.example.org/up") == "http 10.0.0.7:8080 www.example.org /up");
  CHECK(led(asked(), "HTTP://WWW.Example.ORG:80") == "http 10.0.0.7:8080 www.example.org /");
  CHECK(led(asked(), "//www.example.org?q") == "http 10.0.0.7:8080 www.example.org /?q");
  CHECK(led(asked("10.0.0.7:8080"), "http://10.0.0.7:8080/up") == "http 10.0.0.7:8080 10.0.0.7:8080 /up");
}

TEST_CASE("another scheme or port of the same host is that port of the same address") {
  CHECK(led(asked(), "https://www.example.org/up") == "https 10.0.0.7:443 www.example.org /up");
  CHECK(led(asked(), "http://www.example.org:81/") == "http 10.0.0.7:81 www.example.org:81 /");
  CHECK(led(asked("www.example.org", "/", true), "http://www.example.org/") == "http 10.0.0.7:80 www.example.org /");
  CHECK(led(asked("[2001:db8::7]:8080"), "http://[2001:db8::7]/") == "http 10.0.0.7:80 [2001:db8::7] /");
}

TEST_CASE("no other host, scheme or nonsense is followed") {
  CHECK(led(asked(), "http://example.org/") == "which is another host");
  CHECK(led(asked(), "//10.0.0.7/") == "which is another host");
  CHECK(led(asked(), "http://www.example.org@evil.example/") == "which is not a valid URL");
  CHECK(led(asked(), "http://www.example.org:0/") == "which is not a valid URL");
  CHECK(led(asked(), "http://www.example.org:65536/") == "which is not a valid URL");
  CHECK(led(asked(), "http://[www.example.org/") == "which is not a valid URL");
  CHECK(led(asked(), "http:///up") == "which is not a valid URL");
  CHECK(led(asked(), "http:up") == "which is not a valid URL");
  CHECK(led(asked(), "ftp://www.example.org/") == "which is not an HTTP URL");
  CHECK(led(asked(), "javascript:alert(1)") == "which is not an HTTP URL");
  CHECK(led(asked(), "/a b") == "which is not a valid URL");
  CHECK(led(asked(), "/a\tb") == "which is not a valid URL");
  CHECK(led(asked(), "/" + std::string(2048, 'x')) == "which is too long");
}

TEST_CASE("the method follows RFC 9110 section 15.4") {
  const auto method = [](std::string before, int status) {
    auto from = asked();
    from.method = std::move(before);
    return follow(from, status, "/")->method;
  };
  CHECK(method("POST", 301) == "GET");
  CHECK(method("POST", 302) == "GET");
  CHECK(method("PUT", 302) == "PUT");
  CHECK(method("PUT", 303) == "GET");
  CHECK(method("HEAD", 303) == "HEAD");
  CHECK(method("POST", 307) == "POST");
  CHECK(method("POST", 308) == "POST");
  CHECK_FALSE(is_redirect(300));
  CHECK_FALSE(is_redirect(304));
}

TEST_CASE("whatever a location says, the address stays") {
  std::mt19937 random(20261121);
  const std::string words[] = {"http:", "https:",          "//",       "/",  "?", "#",  "@",  ":",  "[",
                               "]",     "www.example.org", "10.0.0.9", "80", "x", "..", "\\", "%0d"};
  for (int i = 0; i < 20'000; ++i) {
    std::string location;
    for (auto n = random() % 8; n > 0; --n) location += words[random() % std::size(words)];
    const auto next = follow(asked(), 302, location);
    if (!next) continue;
    INFO(location);
    REQUIRE(next->target.address == asked().target.address);
    REQUIRE(next->path.starts_with('/'));
    REQUIRE(next->path.find_first_of(" \r\n") == std::string::npos);
  }
}

TEST_CASE("redirects are followed as often as asked, and no further") {
  // /0 leads to /1, that to /2 ...; /3 answers.
  Server server([](Peer& peer) {
    const auto request = peer.read();
    if (request.empty()) return;
    const auto n = request.substr(0, request.find(" HTTP")).substr(5);
    if (n == "3") {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    } else {
      peer.write("HTTP/1.1 302 Found\r\nLocation: /" + std::to_string(std::stoi(n) + 1) +
                 "\r\nContent-Length: 0\r\n\r\n");
    }
  });
  const auto result = [&](int limit) {
    Shell shell;
    Http http{.path = "/0", .expect_body = Match{.what = "ok"}};
    http.follow = limit;
    return shell.first_result(check(server.endpoint(), http));
  };
  const auto at = to_string(server.endpoint());
  CHECK(result(0).sentence == "GET http://" + at + "/0: status 302, expected 200");
  CHECK(result(2).sentence == "GET http://" + at + "/2: redirected more than 2 times");
  CHECK(result(2).outcome == Outcome::failed);
  CHECK(result(3).sentence == "GET http://" + at + "/3: status 200, body as expected");
  CHECK(result(3).outcome == Outcome::passed);
}

TEST_CASE("redirects do not outlive the one timeout, and lead to no other host") {
  Server loop([](Peer& peer) {
    peer.read();
    peer.pause(30);
    peer.write("HTTP/1.1 307 Again\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
  });
  Server away([](Peer& peer) {
    peer.read();
    peer.write("HTTP/1.1 301 Moved\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n");
  });
  Http http;
  http.follow = 10;
  Shell slow, shell;
  const auto late = slow.first_result(check(loop.endpoint(), http, std::chrono::milliseconds(100)));
  CHECK(late.outcome == Outcome::failed);
  CHECK(late.sentence.ends_with("timed out after 100 ms"));
  const auto refused = shell.first_result(check(away.endpoint(), http));
  CHECK(refused.sentence == "GET http://" + to_string(away.endpoint()) +
                                "/: redirected to \"http://evil.example/\", which is another host");
}
