// Beside a node of version 0.1.0, which signs and sends hellos, and knows no challenges.

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "test/unit/vrrp/signed_world.h"
#include "vrrp/hello.h"
#include "vrrp/link.h"
#include "vrrp/signature.h"

using namespace vrrp_test;

namespace {

/// The trailer as version 0.1.0 writes it; its balance may be 0.
std::vector<std::byte> sign_as_0_1_0(const std::vector<std::byte>& packet, const vrrp::Path& path, const vrrp::Key& key,
                                     std::uint64_t sequence) {
  auto made = vrrp::sign(packet, path, key, sequence);
  const auto trailer = std::span(made).last(vrrp::trailer_size);
  trailer[5] = std::byte{1};
  std::ranges::fill(trailer.subspan(6, 2), std::byte{});
  std::vector<std::byte> covered(path.source.bytes().begin(), path.source.bytes().end());
  std::ranges::copy(path.destination.bytes(), std::back_inserter(covered));
  covered.insert(covered.end(), made.begin(), made.end() - 32);
  HMAC(EVP_sha256(), key.secret.data(), static_cast<int>(key.secret.size()),
       reinterpret_cast<const unsigned char*>(covered.data()), covered.size(),
       reinterpret_cast<unsigned char*>(trailer.subspan(16).data()), nullptr);
  return made;
}

/// lb1 is of version 0.1.0: the test speaks for it.
struct OldPeer : SignedWorld {
  OldPeer() { lb2.start(); }

  [[nodiscard]] std::uint64_t time_of_day() const {
    const auto wall = lb2.clock.wall().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(wall).count());
  }
  void say(const std::vector<std::byte>& packet, const net::Address& destination, std::uint64_t sequence) {
    const vrrp::Path path{.source = address("10.0.0.1"), .destination = destination};
    const auto bytes = sign_as_0_1_0(packet, path, lb2.spec.signing->keys.front(), sequence);
    deliver({.at = now(), .source = path.source, .destination = destination, .payload = bytes});
  }
  void advertise(std::uint64_t sequence) {
    const auto& group = vrrp::multicast_group(net::Family::ipv4);
    const vrrp::Advert advert{
        .router_id = 51, .priority = 150, .max_advertise_interval = 100ms, .addresses = {address("10.0.0.100")}};
    say(encode(advert, {.source = address("10.0.0.1"), .destination = group}, vrrp::Checksum::rfc9568), group,
        sequence);
    pass(100ms);
  }

  SignedNode& lb2 = nodes[1];
};

}  // namespace

TEST_CASE_METHOD(OldPeer, "its adverts are believed within five minutes, and are greater than the last") {
  const auto now = time_of_day();
  constexpr std::uint64_t minute = 60'000'000;
  advertise(now + 6 * minute);
  CHECK(lb2.replays() == 1);
  advertise(now + 4 * minute);
  advertise(now + 4 * minute);
  CHECK(lb2.replays() == 2);
  advertise(now + 60 * minute);
  CHECK(lb2.replays() == 2);
  CHECK(lb2.status().adverts.received == 2);
  CHECK(lb2.log == "backup ");
}

TEST_CASE_METHOD(OldPeer, "it is asked and answered in hellos of version 1") {
  for (int i = 0; i < 12; ++i) advertise(time_of_day());
  const vrrp::Hello question{
      .router_id = 51, .question = true, .from = {.node = "old", .version = "0.1.0", .files = {}}};
  const auto to_lb2 = address("10.0.0.2");
  say(vrrp::encode(question), to_lb2, time_of_day());
  pass(5ms);
  CHECK(lb2.identities.contains("old"));
  const auto count = [this](int version) {
    return std::ranges::count_if(recorded, [&](const Recorded& packet) { return packet.is_hello(version); });
  };
  CHECK(count(1) == 3);  // a question in each second, and the answer
  CHECK(count(2) == 0);
  // Byte for byte as it was sent before there were challenges.
  const auto answer = recorded.back();
  const vrrp::Hello expected{.router_id = 51, .from = {.node = "lb2", .version = "0", .files = {}}};
  const auto bytes = std::span(answer.payload);
  CHECK(std::ranges::equal(bytes.first(bytes.size() - vrrp::trailer_size), vrrp::encode(expected)));
  // Who plays its question again is not answered.
  say(vrrp::encode(question), to_lb2, time_of_day() - 1'000'000);
  pass(5ms);
  CHECK(count(1) == 3);
  CHECK(lb2.replays() == 1);
}
