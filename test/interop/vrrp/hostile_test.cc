// Who speaks on the link without being asked: forged adverts, replays, noise, other keys.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <ctime>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <span>
#include <thread>

#include "test/interop/vrrp/lan.h"
#include "test/lab/pulse.h"
#include "vrrp/advert.h"
#include "vrrp/hello.h"
#include "vrrp/signature.h"

using namespace vrrp_test;
using vrrp::RejectReason;

namespace {

using Bytes = std::vector<std::byte>;

/// A raw socket of protocol 112 on a host, on which everything is heard and said.
class RawSocket {
 public:
  explicit RawSocket(const lab::Host& host) {
    const lab::Within within(host.network);
    fd_ = net::Fd(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, vrrp::ipproto_vrrp));
    const int ttl = 255, no_loop = 0, buffer = 8 << 20;
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), "set the TTL of what is not multicast");
    ip_mreqn group{};
    group.imr_multiaddr.s_addr = htonl(0xe0000012);
    group.imr_ifindex = static_cast<int>(::if_nametoindex("eth0"));
    lab::must(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer), "make room");
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), "join");
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group), "choose the interface");
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl), "set the TTL");
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_LOOP, &no_loop, sizeof no_loop), "hear no echo");
  }

  void send(const Bytes& advert, const char* destination) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    lab::must(::inet_pton(AF_INET, destination, &to.sin_addr) - 1, "read an address");
    ::sendto(fd_.get(), advert.data(), advert.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }

  /// To the group, all of them by one system call.
  void send(std::span<const Bytes> packets) const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(0xe0000012);
    std::vector<iovec> payloads(packets.size());
    std::vector<mmsghdr> messages(packets.size());
    for (std::size_t i = 0; i < packets.size(); ++i) {
      payloads[i] = {.iov_base = const_cast<std::byte*>(packets[i].data()), .iov_len = packets[i].size()};
      messages[i].msg_hdr.msg_name = &to;
      messages[i].msg_hdr.msg_namelen = sizeof to;
      messages[i].msg_hdr.msg_iov = &payloads[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t done = 0; done < messages.size();) {
      const int count = ::sendmmsg(fd_.get(), &messages[done], static_cast<unsigned>(messages.size() - done), 0);
      if (count < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
        lab::sleep_for(1ms);
        continue;
      }
      done += static_cast<std::size_t>(lab::must(count, "send packets"));
    }
  }

  /// The next packet's payload, if there is one.
  std::optional<Bytes> receive() const {
    Bytes packet(2048);
    const auto size = ::recv(fd_.get(), packet.data(), packet.size(), 0);
    if (size < 20) return std::nullopt;
    return Bytes(packet.begin() + 20, packet.begin() + size);
  }

 private:
  net::Fd fd_;
};

/// Sends packets, 10,000 a second, from a thread of its own.
class Flood {
 public:
  static constexpr int burst = 100;
  static constexpr net::Duration pause = 10ms;  ///< 10,000 a second

  Flood(const RawSocket& socket, const std::vector<Bytes>& packets)
      : thread_([this, &socket, &packets] {
          const auto begin = net::monotonic_now();
          auto next = begin;
          for (std::size_t at = 0; at < packets.size(); at += burst, next += pause) {
            std::this_thread::sleep_until(next);
            socket.send(std::span(packets).subspan(at, std::min<std::size_t>(burst, packets.size() - at)));
          }
          took_ = net::monotonic_now() - begin;
          ended_ = true;
        }) {}

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] net::Duration took() const { return took_; }

 private:
  std::atomic<bool> ended_ = false;
  net::Duration took_{};
  std::jthread thread_;
};

std::uint64_t judged(const vrrp::Counters& counters) {
  return std::accumulate(counters.rejected.begin(), counters.rejected.end(), counters.received);
}

/// A node's loop in a thread of its own, until `over`.
std::jthread run(Node& node, std::function<bool()> over) {
  return std::jthread([&node, over = std::move(over)] {
    while (!over()) node.turns_in(50ms);
    node.turns_in(100ms);
  });
}

/// What each packet costs, at best, when `read` reads all that wait and says how many those were: the lab knows no
/// finer times of processes than its ticks.
net::Duration cost(const RawSocket& socket, std::span<const Bytes> packets, const std::function<std::size_t()>& read) {
  net::Duration best = 1h;
  for (int round = 0; round < 10; ++round) {
    socket.send(packets);
    lab::sleep_for(5ms);  // until they have arrived
    const auto begin = net::monotonic_now();
    const std::size_t count = read();
    REQUIRE(count > packets.size() / 2);  // the network in between may lose some of so many at once
    best = std::min<net::Duration>(best, (net::monotonic_now() - begin) / count);
  }
  return best;
}

/// Two nodes are told `packets` by a neighbour, 10,000 a second: no role moves, each packet is accounted for, and none
/// costs much more than reading it does.
void withstand(Pair& pair, const RawSocket& socket, const std::vector<Bytes>& packets, const std::string& what) {
  const std::string before = pair.lb1.log + pair.lb2.log;
  lab::Pulse pulse;

  const auto before1 = pair.lb1.status().adverts, before2 = pair.lb2.status().adverts;
  const auto begin = net::monotonic_now();
  net::Duration took{};
  {
    const Flood flood(socket, packets);
    const auto over = [&flood] { return flood.ended(); };
    const auto one = run(pair.lb1, over);
    const auto two = run(pair.lb2, over);
    while (!flood.ended()) lab::sleep_for(10ms);
    took = flood.took();
  }
  const auto lost = pulse.stood_still(begin, net::monotonic_now());
  for (Node* node : {&pair.lb1, &pair.lb2}) {  // what the first said last, the second has still to hear
    lab::sleep_for(5ms);
    for (int turns = 0; turns < 3; ++turns) node->turn();
  }
  const auto after1 = pair.lb1.status().adverts, after2 = pair.lb2.status().adverts;
  const auto dropped1 = after1.dropped - before1.dropped, dropped2 = after2.dropped - before2.dropped;
  const auto count = packets.size();
  CHECK(took - lost < Flood::pause * (count / Flood::burst) * 11 / 10);
  CHECK(pair.lb1.log + pair.lb2.log == before);
  CHECK(pair.only_holder(pair.host1));
  CHECK(judged(after1) - judged(before1) + dropped1 == count + (after2.sent - before2.sent));
  CHECK(judged(after2) - judged(before2) + dropped2 == count + (after1.sent - before1.sent));
  CHECK(dropped1 < count / 10);
  CHECK(dropped2 < count / 10);

  const auto some = std::span(packets).first(500);
  const auto judging = cost(socket, some, [&] {
    const auto before_all = judged(pair.lb2.status().adverts);
    auto last = before_all;
    for (int idle = 0; idle < 3;) {
      pair.lb2.turn();
      const auto now = judged(pair.lb2.status().adverts);
      idle = std::exchange(last, now) == now ? idle + 1 : 0;
    }
    return last - before_all;
  });
  const RawSocket ear(pair.host2);
  const auto reading = cost(socket, some, [&] {
    std::size_t read = 0;
    while (ear.receive()) ++read;
    return read;
  });
  WARN(fmt::format(
      "{}: {} packets in {} ms, of which {} and {} went unread; to judge one takes {:.1f} us, to read it "
      "alone {:.1f} us",
      what, count, took / 1ms, dropped1, dropped2, std::chrono::duration<double, std::micro>(judging).count(),
      std::chrono::duration<double, std::micro>(reading).count()));
  CHECK(judging < 10 * reading);
  CHECK(pair.lb1.notices.size() < 2000);
}

/// With adverts that a busy machine under the lab does not make late: for a flood of three seconds.
void slow_down(Pair& pair) {
  for (Node* node : {&pair.lb1, &pair.lb2}) node->specs[0].advertise = 300ms;
}

struct Signed : Pair {
  Signed() {
    for (Node* node : {&lb1, &lb2}) node->specs[0].signing = signing;
  }
  vrrp::Signing signing{.mode = vrrp::SigningMode::enforce, .keys = {{.id = 1, .secret = "a secret of the test"}}};
};

}  // namespace

TEST_CASE_METHOD(Signed, "a stranger with another key, or none, moves nobody, and is told of", "[hostile]") {
  settle();
  Node stranger(neighbour, {spec("front", 51, 200, vip)});
  stranger.start();
  pump_for({&lb1, &lb2, &stranger}, 800ms);
  CHECK(stranger.is_master());
  CHECK(lb1.is_master());
  CHECK(lb2.state() == vrrp::RouterState::backup);
  CHECK(lb1.status().adverts.rejected[std::to_underlying(RejectReason::not_signed)] >= 3);
  stranger.specs[0].signing = signing;
  stranger.specs[0].signing->keys[0].secret = "another secret entirely";
  stranger.update();
  pump_for({&lb1, &lb2, &stranger}, 800ms);
  CHECK(lb1.is_master());
  CHECK(lb1.status().adverts.rejected[std::to_underlying(RejectReason::signature)] >= 3);
  CHECK(lb1.notices ==
        "lb1 front: advertisement from 10.0.0.3 refused: it is not signed (1 so far)\n"
        "lb1 front: advertisement from 10.0.0.3 refused: it is signed with another key (1 so far)\n");
}

TEST_CASE_METHOD(Signed, "signed nodes tell each other what they run, whoever is master, and hear nobody else",
                 "[hostile]") {
  settle();
  auto &peers1 = lb1.peer_identities, &peers2 = lb2.peer_identities;
  const auto set_identity = [](Node& node, const char* version) {
    node.routers().set_identity({.node = node.host.name, .version = version, .files = {}});
  };
  set_identity(lb1, "1");
  set_identity(lb2, "2");
  REQUIRE(pump({&lb1, &lb2}, [&] { return !peers1.empty() && !peers2.empty(); }, 500ms));
  CHECK(peers1.at("10.0.0.2") == vrrp::Identity{.node = "lb2", .version = "2", .files = {}});
  CHECK(peers2.at("10.0.0.1") == vrrp::Identity{.node = "lb1", .version = "1", .files = {}});

  // What changes is known a second later.
  set_identity(lb1, "3");
  CHECK(pump({&lb1, &lb2}, [&] { return peers2.at("10.0.0.1").version == "3"; }, 1500ms));

  // A hello that was signed with another key, or not at all, or was heard before, is none.
  peers1.clear();
  lb2.crash();
  const RawSocket socket(neighbour);
  const vrrp::Hello hello{.router_id = 51, .question = true, .from = {.node = "evil", .version = "9", .files = {}}};
  const vrrp::Path path{.source = lab::address("10.0.0.3"), .destination = lab::address("10.0.0.1")};
  const auto now = static_cast<std::uint64_t>(std::time(nullptr)) * 1'000'000;
  const auto wrong = vrrp::sign(vrrp::encode(hello), path, {.id = 1, .secret = "another secret entirely"}, now);
  const auto right = vrrp::sign(vrrp::encode(hello), path, signing.keys[0], now);
  const auto to_lb1 = [&](const Bytes& packet) {
    socket.send(packet, "10.0.0.1");
    pump_for({&lb1}, 50ms);
  };
  to_lb1(vrrp::encode(hello));
  to_lb1(wrong);
  CHECK(peers1.empty());
  to_lb1(right);
  CHECK(peers1.contains("10.0.0.3"));
  peers1.clear();
  to_lb1(right);
  CHECK(peers1.empty());
  const auto refused = lb1.status().adverts.rejected;
  CHECK(refused[std::to_underlying(RejectReason::not_signed)] == 1);
  CHECK(refused[std::to_underlying(RejectReason::signature)] == 1);
  CHECK(refused[std::to_underlying(RejectReason::replay)] == 1);
  CHECK(lb1.is_master());
}

TEST_CASE_METHOD(Signed, "keys are rotated and signatures introduced without a change of roles", "[hostile]") {
  lb1.specs[0].signing.reset();
  lb2.specs[0].signing.reset();
  settle();
  const auto everywhere = [&](const std::optional<vrrp::Signing>& next) {
    for (Node* node : {&lb2, &lb1}) {
      node->specs[0].signing = next;
      node->update();
      pump_for({&lb1, &lb2}, 400ms);
    }
  };
  const std::string before = lb1.log + lb2.log;
  const vrrp::Key older = signing.keys[0], newer{.id = 2, .secret = "the secret of tomorrow"};
  everywhere(vrrp::Signing{.mode = vrrp::SigningMode::receive_only, .keys = {older}});
  everywhere(vrrp::Signing{.mode = vrrp::SigningMode::permissive, .keys = {older}});
  everywhere(vrrp::Signing{.mode = vrrp::SigningMode::enforce, .keys = {older}});
  everywhere(vrrp::Signing{.mode = vrrp::SigningMode::enforce, .keys = {older, newer}});
  everywhere(vrrp::Signing{.mode = vrrp::SigningMode::enforce, .keys = {newer, older}});
  everywhere(vrrp::Signing{.mode = vrrp::SigningMode::enforce, .keys = {newer}});
  CHECK(lb1.log + lb2.log == before);
  CHECK(only_holder(host1));
}

TEST_CASE_METHOD(Signed, "replays of captured adverts at 10,000 a second move nobody", "[hostile]") {
  const RawSocket socket(neighbour);
  slow_down(*this);
  settle();
  std::vector<Bytes> captured;
  lb1.stop();  // also its farewell
  pump_for({&lb2}, 300ms);
  lb1.start();
  REQUIRE(pump({&lb1, &lb2}, [&] { return only_holder(host1); }, 2s));
  pump_for({&lb1, &lb2}, 300ms);
  while (auto packet = socket.receive()) captured.push_back(std::move(*packet));
  REQUIRE(captured.size() > 5);
  std::vector<Bytes> packets;
  for (std::size_t i = 0; i < 30'000; ++i) packets.push_back(captured[i % captured.size()]);
  const auto wrong = lb2.status().adverts.rejected[std::to_underlying(RejectReason::signature)];
  withstand(*this, socket, packets, "replays");
  const auto refused = lb2.status().adverts.rejected[std::to_underlying(RejectReason::signature)] - wrong;
  CHECK(refused > packets.size() * 9 / 10);  // they came from somebody else
}

TEST_CASE_METHOD(Signed, "forged adverts at 10,000 a second, right but for the key, move nobody", "[hostile]") {
  const RawSocket socket(neighbour);
  slow_down(*this);
  settle();
  const vrrp::Path path{.source = lab::address("10.0.0.3"), .destination = lab::address("224.0.0.18")};
  std::vector<Bytes> packets;
  const vrrp::Key stolen{.id = 1, .secret = "what the forger guessed"};
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    const vrrp::Advert forged{.router_id = 51,
                              .priority = static_cast<std::uint8_t>(i % 3 == 0 ? 0 : 255),
                              .max_advertise_interval = 10ms,
                              .addresses = {vip_address}};
    packets.push_back(vrrp::encode(forged, path, vrrp::Checksum::rfc9568));
    if (i % 2 == 0) packets.back() = vrrp::sign(packets.back(), path, stolen, i);
  }
  withstand(*this, socket, packets, "forged adverts");
  const auto& refused = lb2.status().adverts.rejected;
  CHECK(refused[std::to_underlying(RejectReason::not_signed)] > packets.size() * 4 / 10);
  CHECK(refused[std::to_underlying(RejectReason::signature)] > packets.size() * 4 / 10);
}

TEST_CASE_METHOD(Pair, "noise at 10,000 packets a second moves nobody and costs little", "[hostile]") {
  const RawSocket socket(neighbour);
  slow_down(*this);
  settle();
  std::mt19937 random(1);
  std::vector<Bytes> packets(30'000);
  for (Bytes& bytes : packets) {
    bytes.resize(random() % 64);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    if (bytes.size() > 3 && random() % 2 == 0) {  // all but right
      bytes[0] = std::byte{0x31};
      bytes[1] = std::byte{51};
    }
  }
  withstand(*this, socket, packets, "noise");
}
