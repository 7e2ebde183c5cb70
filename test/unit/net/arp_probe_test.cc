#include "net/arp_probe.h"
#include "test/catch.h"

using net::Address;
using net::arp_answer;
using net::Mac;

namespace {

const auto address = Address::parse("192.168.56.10").value();
const Mac ours = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0xaa}, std::byte{0xbb}, std::byte{0xcc}};
const Mac theirs = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3}};

/// A reply to `probe` by `mac`, for the address that was asked for.
std::vector<std::byte> answer_to(const std::vector<std::byte>& probe, const Mac& mac) {
  auto frame = probe;
  frame[21] = std::byte{2};
  std::ranges::copy(mac, frame.begin() + 22);
  std::ranges::copy(probe.begin() + 38, probe.end(), frame.begin() + 28);
  return frame;
}

}  // namespace

TEST_CASE("an ARP probe is a broadcast request without a sender's address, so that nobody learns from it") {
  const auto probe = net::arp_probe(ours, address);
  REQUIRE(probe.size() == 42);
  CHECK(std::all_of(probe.begin(), probe.begin() + 6, [](std::byte byte) { return byte == std::byte{0xff}; }));
  CHECK(probe[21] == std::byte{1});
  CHECK(std::equal(ours.begin(), ours.end(), probe.begin() + 22));
  CHECK(std::all_of(probe.begin() + 28, probe.begin() + 38, [](std::byte byte) { return byte == std::byte{0}; }));
  CHECK(std::ranges::equal(std::span(probe).last(4), address.bytes()));
}

TEST_CASE("an answer is a reply whose sender has the address, and nothing else is") {
  const auto probe = net::arp_probe(ours, address);
  const auto answer = answer_to(probe, theirs);
  CHECK(arp_answer(answer, address) == theirs);
  CHECK_FALSE(arp_answer(probe, address));
  CHECK_FALSE(arp_answer(answer, Address::parse("192.168.56.11").value()));
  for (std::size_t size = 0; size < answer.size(); ++size)
    CHECK_FALSE(arp_answer(std::span(answer).first(size), address));
  auto other_protocol = answer;
  other_protocol[13] = std::byte{0};
  CHECK_FALSE(arp_answer(other_protocol, address));
  CHECK(net::to_string(theirs) == "02:00:00:01:02:03");
}
