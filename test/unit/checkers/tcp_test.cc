#include "checkers/probes/tcp.h"

#include <string>
#include <vector>

#include "slow_work.h"
#include "test/catch.h"

using namespace checkers;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:6379");

/// What a conversation came to: the verdict's sentence, or what it waits in, and all it sent.
struct Talk {
  std::string sent;
  std::optional<Result> result;
  std::string doing;

  Talk(const Tcp& spec, const std::vector<std::string>& replies, bool closes = false) {
    const auto script = TcpScript::prepare(spec);
    REQUIRE(script);
    TcpConversation conversation(target, *script);
    result = conversation.begin(sent);
    for (const auto& reply : replies) {
      if (!result) result = work_done(conversation, conversation.receive(reply, sent), sent);
    }
    if (!result && closes) result = work_done(conversation, conversation.closed(), sent);
    if (!result) doing = conversation.doing();
  }
};

/// A search that is for a thread is done at once.
bool is_found(Search& search, Search::Found found) {
  if (found == Search::Found::slow) found = search.take(search.slow_search().run());
  return found == Search::Found::yes;
}

Tcp::Step send(std::string bytes) { return Tcp::Send{std::move(bytes)}; }
Tcp::Step expect(std::string text) { return Match{.what = std::move(text)}; }
Tcp::Step expect_regex(std::string text) { return Match{.what = std::move(text), .kind = Match::Kind::regex}; }

}  // namespace

TEST_CASE("without a script the connection is the verdict") {
  const Talk talk({}, {});
  CHECK(talk.sent.empty());
  CHECK(talk.result->outcome == Outcome::passed);
  CHECK(talk.result->sentence == "connect 10.0.0.7:6379: connected");
}

TEST_CASE("a script of sends alone passes once they are said") {
  const Talk talk({.script = {send("a"), send("b")}}, {});
  CHECK(talk.sent == "ab");
  CHECK(talk.result->outcome == Outcome::passed);
}

TEST_CASE("each match looks only at what came after the one before") {
  const Tcp spec{.script = {expect("220 "), send("PING\r\n"), expect_regex("\\+P.NG"), send("QUIT\r\n")}};
  SECTION("in portions") {
    const Talk talk(spec, {"2", "20", " ready\r\n", "+P", "ONG\r\n"});
    CHECK(talk.sent == "PING\r\nQUIT\r\n");
    CHECK(talk.result->outcome == Outcome::passed);
    CHECK(talk.result->sentence == "tcp 10.0.0.7:6379: answered as expected");
  }
  SECTION("all at once") {
    const Talk talk(spec, {"220 +PONG"});
    CHECK(talk.result->outcome == Outcome::passed);
  }
  SECTION("what was used for the first match does not count for the second") {
    const Talk talk({.script = {expect("ab"), expect("b")}}, {"ab"});
    CHECK_FALSE(talk.result);
    CHECK(talk.doing == R"(tcp 10.0.0.7:6379: expect "b")");
  }
}

TEST_CASE("a peer that closes instead of answering fails, with what it said") {
  const Tcp spec{.script = {send("PING\r\n"), expect("+PONG")}};
  CHECK(Talk(spec, {}, true).result->sentence == R"(tcp 10.0.0.7:6379: expect "+PONG": closed without an answer)");
  const Talk denied(spec, {"-NOAUTH Authentication required.\r\n"}, true);
  CHECK(denied.result->outcome == Outcome::failed);
  CHECK(denied.result->sentence ==
        R"(tcp 10.0.0.7:6379: expect "+PONG": closed after "-NOAUTH Authentication required.\r\n")");
}

TEST_CASE("a peer that talks without end fails at the limit, whatever is expected") {
  for (const auto& step : {expect("+PONG"), expect_regex("\\+PONG"), expect_regex("(x+x+)+y")}) {
    for (const std::size_t portion : {1U, 1000U, 100'000U}) {
      const Talk talk({.script = {step}},
                      std::vector<std::string>(TcpScript::answer_limit / portion + 1, std::string(portion, 'x')));
      REQUIRE(talk.result);
      CHECK(talk.result->outcome == Outcome::failed);
      CHECK(talk.result->sentence.ends_with(
          R"(: not in the first 16384 bytes, which begin "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"...)"));
    }
  }
}

TEST_CASE("a match is found wherever the portions are cut") {
  const std::string text = std::string(5000, '.') + "needle" + std::string(5000, '.');
  for (const auto& match : {Match{.what = "needle"}, Match{.what = "n[e]+dle", .kind = Match::Kind::regex}}) {
    const auto matcher = Matcher::prepare(match, 20'000);
    REQUIRE(matcher);
    for (const std::size_t portion : {1U, 2U, 5U, 999U, 20'000U}) {
      LoopAllowance allowance;
      Search search(*matcher, 20'000, allowance);
      bool found = false;
      for (std::size_t at = 0; at < text.size() && !found; at += portion)
        found = is_found(search, search.feed(std::string_view(text).substr(at, portion)));
      CHECK((found || is_found(search, search.finish())));
      CHECK(search.rest().size() <= 5000);
    }
    LoopAllowance allowance;
    Search short_one(*matcher, 5005, allowance);
    CHECK_FALSE(is_found(short_one, short_one.feed(text)));
    CHECK_FALSE(is_found(short_one, short_one.finish()));
    CHECK(short_one.full());
  }
}
