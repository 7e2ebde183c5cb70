// Regular expressions that are slow on what a server sends: searched in a thread, not on the loop.
#include "checkers/probes/work_thread.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <list>

#include "checkers/probes/match.h"
#include "checkers/probes/stream.h"
#include "checkers/probes/tcp.h"
#include "checkers/probes/tls.h"
#include "server.h"
#include "shell.h"
#include "slow_work.h"
#include "test/catch.h"
#include "test/unit/processor_time.h"
#include "tls_server.h"

using namespace std::chrono_literals;
using namespace checkers;

namespace {

/// On which RE2's automaton outgrows its memory.
std::string hostile(std::size_t size) {
  std::string text;
  for (unsigned random = 1; text.size() < size; random = random * 1103515245U + 12345U)
    text += "stau"[random >> 16U & 3U];
  return text;
}

Match expression(std::string what) { return {.what = std::move(what), .kind = Match::Kind::regex}; }

std::chrono::nanoseconds time_to_search(const Match& match, const std::string& text) {
  const auto matcher = Matcher::prepare(match, text.size());
  const auto began = processor_time();
  CHECK_FALSE(matcher.value().find(text));
  const auto took = processor_time() - began;
  CHECK(took > 3ms);
  return took;
}

/// A conversation whose only answer is `work`'s, once the server has said something.
class Working final : public Conversation {
 public:
  explicit Working(std::function<void()> work) : work_(std::move(work)) {}

  std::optional<Result> begin(std::string&) override { return std::nullopt; }
  std::optional<Result> receive(std::string_view, std::string&) override {
    has_work_ = true;
    return std::nullopt;
  }
  std::optional<Result> closed() override { return failed("work", "closed"); }
  SlowWork take_slow_work() override {
    if (!std::exchange(has_work_, false)) return nullptr;
    return [work = work_]() -> Proceed {
      work();
      return [](std::string&) { return passed("work", "done"); };
    };
  }
  [[nodiscard]] std::string doing() const override { return "work"; }

 private:
  std::function<void()> work_;
  bool has_work_ = false;
};

void greet(Peer& peer) {
  peer.write("hello");
  peer.hold();
}

}  // namespace

TEST_CASE("an expression that takes long on what a server sends does not keep the loop") {
  struct Case {
    std::string name;
    Kind kind;
    Match match;
    std::string text;
    std::string begin{}, end{};
    bool closes = false;
  };
  const auto body = expression("[st].{0,100}[xk]"), header = expression("[st].{0,400}[xk]"),
             step = expression("(s|t).{0,60}[xyk]");
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const Case cases[] = {
      {.name = "body",
       .kind = Http{.expect_body = body},
       .match = body,
       .text = hostile(60'000),
       .begin = ok + "Content-Length: 60000\r\n\r\n"},
      {.name = "header",
       .kind = Http{.expect_headers = {{"server", header}}},
       .match = header,
       .text = hostile(15'000),
       .begin = ok + "Server: ",
       .end = "\r\n\r\n"},
      {.name = "script", .kind = Tcp{.script = {step}}, .match = step, .text = hostile(16'384)},
      {.name = "script, closed", .kind = Tcp{.script = {step}}, .match = step, .text = hostile(16'000), .closes = true},
  };
  for (const auto& each : cases) {
    INFO(each.name);
    Server server([&](Peer& peer) {
      if (std::holds_alternative<Http>(each.kind)) peer.read();
      peer.write(each.begin + each.text + each.end);
      if (!each.closes) peer.hold();
    });
    Shell shell;
    const auto began = processor_time();
    const auto result = shell.first_result(check(server.endpoint(), each.kind));
    const auto took = processor_time() - began;
    CHECK(result.outcome == Outcome::failed);
    CHECK_THAT(result.sentence, Catch::ContainsSubstring(each.match.what));
    CHECK(took < time_to_search(each.match, each.text) / 2);
  }
}

TEST_CASE("an expression that takes long on a datagram does not keep the loop") {
  const net::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE((bind(socket.get(), generic, length) == 0 && getsockname(socket.get(), generic, &length) == 0));
  const auto text = hostile(16'000);
  std::jthread server([&] {
    char question = 0;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    recvfrom(socket.get(), &question, 1, 0, reinterpret_cast<sockaddr*>(&from), &size);
    sendto(socket.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  });
  const auto match = expression("[st].{0,100}[xk]");
  Shell shell;
  const auto began = processor_time();
  const auto target = net::Endpoint::parse(fmt::format("127.0.0.1:{}", ntohs(address.sin_port))).value();
  const auto result = shell.first_result(check(target, Udp{.send = "?", .expect = match}));
  const auto took = processor_time() - began;
  CHECK_THAT(result.sentence,
             Catch::ContainsSubstring("answered \"sss") || Catch::ContainsSubstring("expected /[st].{0,100}[xk]/"));
  CHECK(result.outcome == Outcome::failed);
  CHECK(took < time_to_search(match, text) / 2);
}

TEST_CASE("a script goes on with what a thread has found, also inside TLS") {
  const auto filler = std::string(9'000, '.');
  const auto script = TcpScript::prepare({.script = {Tcp::Send{"hello "}, expression("a.{0,20}b"), Tcp::Send{"next"},
                                                     expression("c.{0,20}d"), Tcp::Send{"last"}, Match{.what = "end"}}})
                          .value();
  const auto target = net::Endpoint::parse("10.0.0.7:443").value();
  const auto answer = filler + "ab" + filler + "cd\nend";
  SECTION("plain, all in one portion") {
    TcpConversation conversation(target, script);
    std::string out;
    REQUIRE_FALSE(conversation.begin(out));
    const auto first = conversation.receive(answer.substr(0, 9'002), out);
    CHECK_FALSE(first);
    CHECK(out == "hello ");  // nobody has looked yet
    auto work = conversation.take_slow_work();
    REQUIRE(work);
    CHECK_FALSE(conversation.take_slow_work());
    CHECK_FALSE(work()(out));
    CHECK(out == "hello next");
    const auto result = work_done(conversation, conversation.receive(answer.substr(9'002), out), out);
    REQUIRE(result);
    CHECK(result->outcome == Outcome::passed);
    CHECK(out == "hello nextlast");
  }
  SECTION("TLS") {
    TestCa ca;
    auto context = TlsContext::prepare({.ca = ca.file(), .name = "www.example.org"}, "").value();
    TlsPeer peer(ca.server({}));
    peer.answer = answer;
    std::string out;
    const auto conversation = context.wrap(target, std::make_unique<TcpConversation>(target, script));
    auto result = conversation->begin(out);
    bool was_slow = false;
    for (int turn = 0; turn < 10 && !result; ++turn) {
      const auto bytes = peer.exchange(std::exchange(out, {}));
      if (!bytes.empty()) result = conversation->receive(bytes, out);
      while (!result) {
        auto work = conversation->take_slow_work();
        if (!work) break;
        was_slow = true;
        result = work()(out);
      }
    }
    REQUIRE(result);
    CHECK(result->outcome == Outcome::passed);
    CHECK(was_slow);
    peer.exchange(out);
    CHECK_THAT(peer.heard, Catch::ContainsSubstring("last"));
  }
}

TEST_CASE("slow work that does not end in time is no failure of the server, and few do theirs at a time") {
  constexpr int probes = 6;
  std::latch may_end(1), all_ended(probes);
  std::atomic<int> now = 0, most = 0;
  Server server(greet);
  auto loop = net::Loop::create().value();
  std::list<std::unique_ptr<ProbeRun>> runs;
  int done = 0;
  for (int i = 0; i < probes; ++i) {
    auto started = start_stream(loop, {}, 0, server.endpoint(), std::make_unique<Working>([&] {
                                  most = std::max(most.load(), ++now);
                                  may_end.wait();
                                  --now;
                                  all_ended.count_down();
                                }),
                                [&](Result result) { done += result.outcome == Outcome::passed ? 1 : 0; });
    REQUIRE(std::holds_alternative<std::unique_ptr<ProbeRun>>(started));
    runs.push_back(std::move(std::get<std::unique_ptr<ProbeRun>>(started)));
  }
  const auto in_time = [&](auto condition) {
    const auto limit = net::monotonic_now() + 20s;
    while (!condition() && net::monotonic_now() < limit) REQUIRE(loop.turn(5ms));
    return condition();
  };
  const auto waits = [](const auto& run) { return run->timed_out(1s).outcome == Outcome::not_run; };
  CHECK(in_time([&] { return std::ranges::all_of(runs, waits) && most == WorkThread::at_a_time; }));
  CHECK(runs.front()->timed_out(1s).sentence ==
        "work: could not be run: its answer has not been searched for the regular expression within 1 s, "
        "for want of processor time");
  CHECK(done == 0);
  may_end.count_down();
  CHECK(in_time([&] { return done == probes; }));
  CHECK(most == WorkThread::at_a_time);
  all_ended.wait();
}
