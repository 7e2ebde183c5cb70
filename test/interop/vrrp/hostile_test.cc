// Who speaks on the link without being asked: forged adverts, replays, noise, other keys.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "test/interop/vrrp/lan.h"
#include "vrrp/advert.h"
#include "vrrp/hello.h"
#include "vrrp/signature.h"

using namespace vrrp_test;
using vrrp::Refusal;

namespace {

using Bytes = std::vector<std::byte>;

/// A raw socket of protocol 112 on a host, on which everything is heard and said.
class RawSocket {
 public:
  explicit RawSocket(const lab::Host& host) {
    const lab::Within within(host.network);
    fd_ = net::Fd(::socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, vrrp::ipproto_vrrp));
    const int ttl = 255, no_loop = 0;
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_TTL, &ttl, sizeof ttl), "set the TTL of what is not multicast");
    ip_mreqn group{};
    group.imr_multiaddr.s_addr = htonl(0xe0000012);
    group.imr_address.s_addr = htonl(0x0a000003);
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), "join");
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group), "choose the interface");
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl), "set the TTL");
    lab::must(::setsockopt(fd_.get(), IPPROTO_IP, IP_MULTICAST_LOOP, &no_loop, sizeof no_loop), "hear no echo");
  }

  void send(const Bytes& advert, const char* destination = "224.0.0.18") const {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    lab::must(::inet_pton(AF_INET, destination, &to.sin_addr) - 1, "read an address");
    ::sendto(fd_.get(), advert.data(), advert.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }

  /// The next packet's payload; empty if there is none.
  [[nodiscard]] Bytes receive() const {
    Bytes packet(2048);
    const auto size = ::recv(fd_.get(), packet.data(), packet.size(), 0);
    if (size < 20) return {};
    return {packet.begin() + 20, packet.begin() + size};
  }

 private:
  net::Fd fd_;
};

/// Sends what `make` makes, 10,000 a second, from a thread of its own while this lives.
class Flood {
 public:
  template <class Make>
  Flood(const RawSocket& socket, Make make)
      : thread_([this, &socket, make](const std::stop_token& stop) mutable {
          for (auto next = net::Clock::now(); !stop.stop_requested(); next += 10ms) {
            for (int i = 0; i < 100; ++i, ++sent_) socket.send(make());
            std::this_thread::sleep_until(next);
          }
        }) {}

  [[nodiscard]] int sent() const { return sent_; }

 private:
  std::atomic<int> sent_ = 0;
  std::jthread thread_;
};

double cpu_of_this_thread() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
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
  CHECK(lb2.state() == vrrp::State::backup);
  CHECK(lb1.status().adverts.refused[std::to_underlying(Refusal::not_signed)] >= 3);
  stranger.specs[0].signing = signing;
  stranger.specs[0].signing->keys[0].secret = "another secret entirely";
  stranger.update();
  pump_for({&lb1, &lb2, &stranger}, 800ms);
  CHECK(lb1.is_master());
  CHECK(lb1.status().adverts.refused[std::to_underlying(Refusal::signature)] >= 3);
  CHECK(lb1.notices ==
        "lb1 front: refused an advert from 10.0.0.3: it is not signed (1 so far)\n"
        "lb1 front: refused an advert from 10.0.0.3: it is signed with another key (1 so far)\n");
}

TEST_CASE_METHOD(Signed, "signed nodes tell each other what they run, whoever is master, and hear nobody else",
                 "[hostile]") {
  settle();
  std::map<std::string, vrrp::Identity> met1, met2;
  const auto introduce = [](Node& node, const char* version, std::map<std::string, vrrp::Identity>& met) {
    node.routers().introduce(
        {.node = node.host.name, .version = version, .files = {}},
        [&met](const vrrp::Identity& other, const net::Address& from) { met[to_string(from)] = other; });
  };
  introduce(lb1, "1", met1);
  introduce(lb2, "2", met2);
  REQUIRE(pump(
      {&lb1, &lb2}, [&] { return !met1.empty() && !met2.empty(); }, 500ms));
  CHECK(met1.at("10.0.0.2") == vrrp::Identity{.node = "lb2", .version = "2", .files = {}});
  CHECK(met2.at("10.0.0.1") == vrrp::Identity{.node = "lb1", .version = "1", .files = {}});

  // What changes is known a second later.
  introduce(lb1, "3", met1);
  CHECK(pump(
      {&lb1, &lb2}, [&] { return met2.at("10.0.0.1").version == "3"; }, 1500ms));

  // A hello that was signed with another key, or not at all, or was heard before, is none.
  met1.clear();
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
  CHECK(met1.empty());
  to_lb1(right);
  CHECK(met1.contains("10.0.0.3"));
  met1.clear();
  to_lb1(right);
  CHECK(met1.empty());
  const auto refused = lb1.status().adverts.refused;
  CHECK(refused[std::to_underlying(Refusal::not_signed)] == 1);
  CHECK(refused[std::to_underlying(Refusal::signature)] == 1);
  CHECK(refused[std::to_underlying(Refusal::replay)] == 1);
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
  settle();
  std::vector<Bytes> captured;
  lb1.stop();  // also its farewell
  pump_for({&lb2}, 300ms);
  lb1.start();
  REQUIRE(pump(
      {&lb1, &lb2}, [&] { return only_holder(host1); }, 2s));
  pump_for({&lb1, &lb2}, 300ms);
  for (Bytes packet = socket.receive(); !packet.empty(); packet = socket.receive()) captured.push_back(packet);
  REQUIRE(captured.size() > 5);
  const std::string before = lb1.log + lb2.log;
  std::size_t next = 0;
  int sent = 0;
  const auto cpu = cpu_of_this_thread();
  {
    const Flood flood(socket, [&] { return captured[next++ % captured.size()]; });
    pump_for({&lb1, &lb2}, 2s);
    sent = flood.sent();
  }
  WARN(fmt::format("{} replays in 2 s: {:.0f} ms of CPU for two nodes", sent, (cpu_of_this_thread() - cpu) * 1000));
  pump_for({&lb1, &lb2}, 300ms);
  CHECK(lb1.log + lb2.log == before);
  CHECK(only_holder(host1));
  const auto refused = lb2.status().adverts.refused[std::to_underlying(Refusal::signature)];
  CHECK(refused > static_cast<std::uint64_t>(sent) / 2);  // they came from somebody else
}

TEST_CASE_METHOD(Pair, "noise at 10,000 packets a second moves nobody and costs little", "[hostile]") {
  const RawSocket socket(neighbour);
  settle();
  const std::string before = lb1.log + lb2.log;
  std::mt19937 random(1);
  const auto cpu = cpu_of_this_thread();
  {
    const Flood flood(socket, [&] {
      Bytes bytes(random() % 64);
      for (auto& byte : bytes) byte = static_cast<std::byte>(random());
      if (bytes.size() > 3 && random() % 2 == 0) {  // all but right
        bytes[0] = std::byte{0x31};
        bytes[1] = std::byte{51};
      }
      return bytes;
    });
    pump_for({&lb1, &lb2}, 3s);
    WARN(fmt::format("{} packets in 3 s: {:.0f} ms of CPU for two nodes", flood.sent(),
                     (cpu_of_this_thread() - cpu) * 1000));
  }
  CHECK(lb1.log + lb2.log == before);
  CHECK(only_holder(host1));
  CHECK(lb1.notices.size() < 2000);
}
