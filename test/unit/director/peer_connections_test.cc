#include "director/orders/peer_connections.h"

#include <algorithm>
#include <csignal>
#include <deque>

#include "test/catch.h"
#include "test/unit/processor_time.h"

using director::PeerConnections;
using namespace std::chrono_literals;

namespace {

constexpr std::uint16_t port = 48406;  // of addresses that are this test's own

/// A director's connections, on an address of the loopback interface.
struct Node {
  std::string name;
  net::Endpoint own;
  std::deque<std::string> out;
  std::vector<std::string> in;
  int open = 0, opened = 0, pings = 0;
  PeerConnections connections;

  Node(net::Loop& loop, std::string called, int number)
      : name(std::move(called)),
        own({.address = net::Address::parse("127.84.6." + std::to_string(number)).value(), .port = port}),
        connections(loop, {.on_open =
                               [this](auto) {
                                 ++open;
                                 ++opened;
                               },
                           .on_text = [this](auto, const std::string&, std::string text) -> net::Result<> {
                             if (text == "wrong") return net::failure("a wrong text");
                             if (!text.empty()) in.push_back(std::move(text));
                             return {};
                           },
                           .on_closed = [this](auto) { --open; },
                           .next_text = [this](auto, bool ping) -> std::optional<std::string> {
                             if (ping) {
                               ++pings;
                               return "";
                             }
                             if (out.empty()) return std::nullopt;
                             auto text = std::move(out.front());
                             out.pop_front();
                             return text;
                           }}) {}
};

struct Pair {
  net::Loop loop = net::Loop::create().value();
  Node lb1{loop, "lb1", 1}, lb2{loop, "lb2", 2};

  Pair() { std::signal(SIGPIPE, SIG_IGN); }

  static net::Result<> set(Node& node, const Node& other, const std::string& secret = "0123456789abcdef") {
    return node.connections.set({.node = node.name,
                                 .own = node.own,
                                 .others = {{other.name, other.own}},
                                 .keys = {{.id = 1, .secret = secret}}});
  }

  bool until(const std::function<bool()>& holds) {
    for (const auto end = loop.clock().now() + 5s; !holds() && loop.clock().now() < end;) REQUIRE(loop.turn(20ms));
    return holds();
  }
};

}  // namespace

TEST_CASE("two directors find each other, speak, and find each other again") {
  Pair pair;
  auto& [loop, lb1, lb2] = pair;
  REQUIRE(Pair::set(lb1, lb2));
  CHECK(pair.until([&] { return !lb1.connections.error_of("lb2").empty(); }));
  CHECK(lb1.connections.error_of("lb2") == "127.84.6.2:48406: handshake: Connection refused");
  REQUIRE(Pair::set(lb2, lb1));
  REQUIRE(pair.until([&] { return lb1.open == 1 && lb2.open == 1; }));
  lb1.out = {"a", "b"};
  lb2.out = {"c"};
  lb1.connections.pump();
  lb2.connections.pump();
  REQUIRE(pair.until([&] { return lb1.in.size() == 1 && lb2.in.size() == 2; }));
  CHECK(lb2.in == std::vector<std::string>{"a", "b"});
  CHECK(pair.until([&] { return lb1.pings > 4 && lb2.pings > 4; }));  // longer than silence_max
  CHECK(lb1.opened == 1);

  lb2.connections.stop();
  CHECK(pair.until([&] { return lb1.open == 0; }));
  REQUIRE(Pair::set(lb2, lb1));
  CHECK(pair.until([&] { return lb1.open == 1 && lb2.open == 1; }));

  lb2.out = {"wrong"};
  lb2.connections.pump();
  CHECK(pair.until([&] { return lb1.opened == 3; }));
  CHECK(lb1.connections.error_of("lb2").ends_with("a wrong text"));
}

TEST_CASE("a key that is another on the other node connects nobody") {
  Pair pair;
  auto& [loop, lb1, lb2] = pair;
  REQUIRE(Pair::set(lb1, lb2));
  REQUIRE(Pair::set(lb2, lb1, "another secret !"));
  CHECK(pair.until([&] { return lb1.connections.error_of("lb2").find("handshake") != std::string::npos; }));
  CHECK(lb1.opened == 0);
  CHECK(lb2.opened == 0);
  REQUIRE(Pair::set(lb2, lb1));
  CHECK(pair.until([&] { return lb1.open == 1 && lb2.open == 1; }));
}

TEST_CASE("a node with the key that sends as much as it can does not keep a turn of the loop") {
  std::signal(SIGPIPE, SIG_IGN);
  net::Loop loop = net::Loop::create().value(), others = net::Loop::create().value();
  Node lb1(loop, "lb1", 1), lb2(others, "lb2", 2);
  REQUIRE(Pair::set(lb2, lb1));
  REQUIRE(Pair::set(lb1, lb2));
  constexpr std::size_t count = 10'000;
  lb2.out.assign(count, "{}");
  std::chrono::nanoseconds longest{0};
  for (const auto end = loop.clock().now() + 60s; lb1.in.size() < count && loop.clock().now() < end;) {
    REQUIRE(others.turn({}));
    const auto before = processor_time();
    REQUIRE(loop.turn({}));
    longest = std::max<std::chrono::nanoseconds>(longest, processor_time() - before);
  }
  CHECK(lb1.in.size() == count);
  CHECK(longest < 10ms);  // an advertisement's interval at the least
}
