// The conversations that ask a server about itself: smtp and agent.
#include <random>

#include "checkers/probes/advice_line.h"
#include "checkers/probes/agent.h"
#include "checkers/probes/smtp.h"
#include "server.h"
#include "shell.h"
#include "test/catch.h"
#include "tls_server.h"

using namespace checkers;

namespace {

const auto target = *net::Endpoint::parse("10.0.0.7:25");

/// Says `replies` one after the other, as a server would that waits for each command; then closes.
struct Talk {
  std::string sent;
  Result result;

  Talk(Conversation& conversation, const std::vector<std::string>& replies) : result(run(conversation, replies)) {}

 private:
  Result run(Conversation& conversation, const std::vector<std::string>& replies) {
    if (auto early = conversation.begin(sent)) return *early;
    for (const auto& reply : replies) {
      if (auto done = conversation.receive(reply, sent)) return *done;
    }
    return conversation.closed().value();
  }
};

}  // namespace

TEST_CASE("smtp: the verdict on a dialogue by table") {
  const std::string ehlo = "250-mail.example.org\r\n250-SIZE 1\r\n250 HELP\r\n";
  const std::string bye = "221 Bye\r\n";
  const std::tuple<std::vector<std::string>, Outcome, std::string> table[] = {
      {{"220 mail ESMTP\r\n", ehlo, bye}, Outcome::passed, ": answered"},
      {{"220-mail\r\n220 ESMTP\r\n", ehlo, bye}, Outcome::passed, ": answered"},
      {{"220\n", "250\n", "221\n"}, Outcome::passed, ": answered"},
      {{"220 mail ESMTP\r\n", ehlo}, Outcome::passed, ": answered"},  // closed instead of answering QUIT
      {{"220 old\r\n", "502 what?\r\n", "250 old\r\n", bye}, Outcome::passed, ": answered"},
      {{"220 old\r\n", "502 what?\r\n", "550 no\r\n"}, Outcome::failed, R"(: HELO: "550 no")"},
      {{"554 go away\r\n"}, Outcome::failed, R"(: greeting: "554 go away")"},
      {{"220 mail\r\n", "421 too busy\r\n"}, Outcome::failed, R"(: EHLO: "421 too busy")"},
      {{}, Outcome::failed, ": greeting: closed without an answer"},
      {{"220 mail\r\n"}, Outcome::failed, ": EHLO: closed without an answer"},
      {{"HTTP/1.1 400 Bad\r\n"}, Outcome::failed, R"(: greeting: not an SMTP reply: "HTTP/1.1 400 Bad")"},
      {{"22\r\n"}, Outcome::failed, R"(: greeting: not an SMTP reply: "22")"},
      {{"+20 x\r\n"}, Outcome::failed, R"(: greeting: not an SMTP reply: "+20 x")"},
      {{"220x\r\n"}, Outcome::failed, R"(: greeting: not an SMTP reply: "220x")"},
      {{std::string(20'000, 'x')}, Outcome::failed, ": greeting: answered more than 16384 bytes"},
  };
  const auto plan = SmtpPlan::prepare({.helo = "lb1"});
  for (const auto& [replies, outcome, sentence] : table) {
    SmtpConversation conversation(target, *plan);
    const Talk talk(conversation, replies);
    CHECK(talk.result.outcome == outcome);
    CHECK(talk.result.sentence == "smtp 10.0.0.7:25" + sentence);
  }
  SmtpConversation conversation(target, *plan);
  CHECK(Talk(conversation, {"220 m\r\n", "250 m\r\n", bye}).sent == "EHLO lb1\r\nQUIT\r\n");
}

TEST_CASE("smtp: replies in any portions, and damaged ones, come to a verdict") {
  const std::string all = "220-mail\r\n220 ESMTP\r\n250-mail.example.org\r\n250 HELP\r\n221 Bye\r\n";
  const auto plan = SmtpPlan::prepare({});
  std::vector<std::string> bytes;
  for (const char c : all) bytes.emplace_back(1, c);
  SmtpConversation bytewise(target, *plan);
  CHECK(Talk(bytewise, bytes).result.outcome == Outcome::passed);
  std::mt19937 random(9);  // NOLINT: replayable
  for (int round = 0; round < 2000; ++round) {
    auto damaged = all;
    for (auto flips = 1 + random() % 3; flips > 0; --flips)
      damaged[random() % damaged.size()] ^= static_cast<char>(1U << random() % 8);
    SmtpConversation conversation(target, *plan);
    REQUIRE(Talk(conversation, {damaged}).result.outcome != Outcome::not_run);
  }
}

TEST_CASE("smtp: STARTTLS, and EHLO again inside") {
  TestCa ca;
  const auto plan = SmtpPlan::prepare({.helo = "lb1", .starttls = true, .tls = Tls{.ca = ca.file()}});
  REQUIRE(plan);
  SECTION("is not offered") {
    SmtpConversation conversation(target, *plan);
    CHECK(Talk(conversation, {"220 m\r\n", "250 m\r\n"}).result.sentence ==
          "smtp 10.0.0.7:25: EHLO: STARTTLS is not offered");
  }
  SECTION("is refused") {
    SmtpConversation conversation(target, *plan);
    CHECK(Talk(conversation, {"220 m\r\n", "250 STARTTLS\r\n", "454 no\r\n"}).result.sentence ==
          R"(smtp 10.0.0.7:25: STARTTLS: "454 no")");
  }
  SECTION("comes with words put in before the handshake") {
    SmtpConversation conversation(target, *plan);
    CHECK(Talk(conversation, {"220 m\r\n", "250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"}).result.sentence ==
          "smtp 10.0.0.7:25: STARTTLS: sent data before the TLS handshake");
  }
  for (const bool good : {true, false}) {
    SmtpConversation conversation(target, *plan);
    TlsPeer peer(ca.server(good ? TestCa::Issue{} : TestCa::Issue{.to_days = -2}));
    peer.answer = "250 m\r\n";
    std::string out;
    conversation.begin(out);
    conversation.receive("220 m\r\n", out);
    conversation.receive("250-m\r\n250 STARTTLS\r\n", out);
    CHECK(out == "EHLO lb1\r\nSTARTTLS\r\n");
    out.clear();
    auto result = conversation.receive("220 go\r\n", out);
    while (!result && !out.empty() && peer.heard.find("QUIT") == std::string::npos) {
      const auto answer = peer.exchange(std::exchange(out, {}));
      if (answer.empty()) break;
      result = conversation.receive(answer, out);
    }
    if (!result) result = conversation.closed();
    if (good) {
      CHECK(result->sentence == "smtp 10.0.0.7:25: answered");
      CHECK(peer.heard == "EHLO lb1\r\nQUIT\r\n");
    } else {
      CHECK(result->sentence == "tls 10.0.0.7:25: certificate: certificate has expired");
    }
  }
}

TEST_CASE("an agent's line by table") {
  using enum Advice::AdminState;
  const auto percent = [](std::uint16_t value) { return Advice::Weight{.value = value, .percent = true}; };
  const std::tuple<std::string, bool, Advice, std::string> table[] = {
      {"up", true, {}, "up"},
      {"UP", true, {}, "UP"},
      {"down # disk full", false, {}, R"(down, "disk full")"},
      {"fail", false, {}, "fail"},
      {"stopped", false, {}, "stopped"},
      {"75%", true, {.weight = percent(75)}, "75%"},
      {"0%", true, {.weight = percent(0)}, "0%"},
      {"12", true, {.weight = Advice::Weight{.value = 12}}, "12"},
      {"ready, up 50%", true, {.admin_state = ready, .weight = percent(50)}, "ready up 50%"},
      {"drain\t# soon\x1b[2J", true, {.admin_state = drain}, R"(drain, "soon\x1b[2J")"},
      {"maint", true, {.admin_state = maint}, "maint"},
      {"up maxconn:30\r", true, {}, "up maxconn:30"},
  };
  for (const auto& [line, passes, advice, reason] : table) {
    const auto said = AdviceLine::parse(line);
    REQUIRE(said);
    CHECK(said->passes == passes);
    CHECK(said->advice == advice);
    CHECK(said->reason == reason);
  }
  for (const std::string line : {"", " ", "# only a reason", "sideways", "75 %x", "70000%", "-1%", "%", "up down? "}) {
    INFO(line);
    CHECK_FALSE(AdviceLine::parse(line));
  }
}

TEST_CASE("agent: a line ends at its newline or with the stream, and has a limit") {
  const Agent spec{.send = "hello\n"};
  {
    AgentConversation conversation(target, spec);
    const Talk talk(conversation, {"dr", "ain\nrest"});
    CHECK(talk.sent == "hello\n");
    CHECK(talk.result.sentence == "agent 10.0.0.7:25: drain");
    CHECK(talk.result.advice.admin_state == Advice::AdminState::drain);
  }
  const std::pair<std::vector<std::string>, std::string> table[] = {
      {{"up"}, "up"},
      {{}, "closed without an answer"},
      {{"\n"}, R"(not an agent-check line: "")"},
      {{"HTTP/1.0 200 OK\r\n"}, R"(not an agent-check line: "HTTP/1.0 200 OK\r")"},
      {{std::string(1025, 'x')}, "line longer than 1024 bytes"},
  };
  for (const auto& [replies, sentence] : table) {
    AgentConversation conversation(target, spec);
    CHECK(Talk(conversation, replies).result.sentence == "agent 10.0.0.7:25: " + sentence);
  }
}

TEST_CASE("what an agent asked for holds until it says something else") {
  Health health;
  const Thresholds limit{.rise = 1, .fall = 1};
  const auto say = [&](const char* line) { observe(health, result_of_advice("agent", line), limit, {}); };
  say("drain 50%");
  say("up");
  CHECK(health.advice ==
        Advice{.admin_state = Advice::AdminState::drain, .weight = Advice::Weight{.value = 50, .percent = true}});
  say("ready");
  CHECK(health.advice.admin_state == Advice::AdminState::ready);
  CHECK(health.advice.weight->value == 50);
  say("down");
  CHECK(health.state == HealthState::down);
}

TEST_CASE("smtp and agent over a socket") {
  Server mail([](Peer& peer) {
    peer.write("220 mail ESMTP\r\n");
    peer.read();
    peer.write("250 mail\r\n");
    peer.read();
    peer.write("221 Bye\r\n");
    peer.hold();
  });
  Server agent([](Peer& peer) { peer.write("drain 75%\n"); });
  Shell shell;
  const auto smtp = check(mail.endpoint(), Smtp{});
  const auto word = check(agent.endpoint(), Agent{});
  shell.checks.set({{smtp, word}});
  shell.run_until([&] { return shell.first_of(smtp) && shell.first_of(word); });
  CHECK(shell.checks.find(smtp)->last == "smtp " + to_string(smtp.target) + ": answered");
  CHECK(shell.checks.find(word)->advice.admin_state == Advice::AdminState::drain);
  CHECK(shell.checks.find(word)->advice.weight == Advice::Weight{.value = 75, .percent = true});
}
