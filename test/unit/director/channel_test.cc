#include "director/orders/channel.h"

#include <sys/socket.h>

#include <csignal>

#include "test/catch.h"

using director::Channel;
using director::ChannelKeys;
using namespace std::chrono_literals;

namespace {

/// Both ends of a connection, in one loop.
struct Ends {
  struct End {
    std::unique_ptr<Channel> channel;
    bool opened = false;
    std::vector<std::string> texts;
    std::string closed;
  };
  net::Loop loop = net::Loop::create().value();
  ChannelKeys first, second;
  End begins, accepts;
  net::Fd raw;  ///< of the end that begins, where there is no channel

  Ends(std::vector<director::ChannelKey> begin, std::vector<director::ChannelKey> accept, bool with_channel = true)
      : first(ChannelKeys::create(begin).value()), second(ChannelKeys::create(accept).value()) {
    std::signal(SIGPIPE, SIG_IGN);
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    accepts.channel = open(net::Fd(fds[1]), Channel::Side::accepts, second, accepts);
    if (with_channel) {
      begins.channel = open(net::Fd(fds[0]), Channel::Side::begins, first, begins);
    } else {
      raw = net::Fd(fds[0]);
    }
  }

  std::unique_ptr<Channel> open(net::Fd socket, Channel::Side side, const ChannelKeys& keys, End& end) {
    return Channel::create(loop, std::move(socket), side, keys,
                           {.on_open = [&end] { end.opened = true; },
                            .on_text = [&end](std::string text) { end.texts.push_back(std::move(text)); },
                            .on_sent = [] {},
                            .on_closed = [&end](std::string why) { end.closed = std::move(why); }})
        .value();
  }

  /// Lets both get on, until something holds or a second is over.
  bool until(const std::function<bool()>& holds) {
    for (const auto end = loop.clock().now() + 1s; !holds() && loop.clock().now() < end;) REQUIRE(loop.turn(10ms));
    return holds();
  }
};

const director::ChannelKey old_key{.id = 1, .secret = "0123456789abcdef"};
const director::ChannelKey new_key{.id = 2, .secret = "fedcba9876543210"};

}  // namespace

TEST_CASE("directors with a common key speak with each other") {
  Ends ends({new_key, old_key}, {old_key, new_key});
  REQUIRE(ends.until([&] { return ends.begins.opened && ends.accepts.opened; }));
  const std::string longest(Channel::text_max, 'x');
  ends.begins.channel->send("orders");
  ends.accepts.channel->send(longest);
  REQUIRE(ends.until([&] { return ends.begins.texts.size() == 1 && ends.accepts.texts.size() == 1; }));
  CHECK(ends.accepts.texts.front() == "orders");
  CHECK(ends.begins.texts.front() == longest);
  CHECK(ends.until([&] { return ends.begins.channel->is_ready() && ends.accepts.channel->is_ready(); }));

  ends.begins.channel.reset();
  CHECK(ends.until([&] { return !ends.accepts.closed.empty(); }));
}

TEST_CASE("without a common key nobody comes in, whichever end it is") {
  const auto same_number = director::ChannelKey{.id = 1, .secret = "another secret !"};
  for (const auto& wrong : {new_key, same_number}) {
    Ends ends({wrong}, {old_key});
    CHECK(ends.until([&] { return !ends.accepts.closed.empty() && !ends.begins.closed.empty(); }));
    CHECK_FALSE(ends.accepts.opened);
    CHECK_FALSE(ends.begins.opened);
  }
}

TEST_CASE("what is not TLS ends a connection, and so does a text that is too long") {
  Ends stranger({old_key}, {old_key}, false);
  const std::string request = "GET / HTTP/1.1\r\nHost: lb1\r\n\r\n";
  REQUIRE(send(stranger.raw.get(), request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  CHECK(stranger.until([&] { return !stranger.accepts.closed.empty(); }));
  CHECK(stranger.accepts.texts.empty());
  CHECK_FALSE(stranger.accepts.opened);
}
