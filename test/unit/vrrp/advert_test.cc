#include "vrrp/advert.h"

#include <random>
#include <string_view>

#include "test/catch.h"

using namespace std::chrono_literals;
using net::Address;
using vrrp::Advert;
using vrrp::Checksum;
using vrrp::Path;
using vrrp::RejectReason;

namespace {

using Bytes = std::vector<std::byte>;

Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

Path path(std::string_view source, std::string_view destination) {
  return {.source = Address::parse(source).value(), .destination = Address::parse(destination).value()};
}

const Path ipv4 = path("192.168.56.11", "224.0.0.18");
const Path ipv6 = path("fe80::1", "ff02::12");

/// Sums computed apart from this code, by RFC 1071's definition.
struct Golden {
  std::string_view hex;
  Path path;
  Checksum checksum;
  Advert advert;
};

const std::vector<Golden> goldens = {
    {"3133960100643fb4c0a8380a", ipv4, Checksum::rfc9568, {51, 150, 1s, {Address::parse("192.168.56.10").value()}}},
    {"3133960100646671c0a8380a", ipv4, Checksum::rfc5798, {51, 150, 1s, {Address::parse("192.168.56.10").value()}}},
    {"313400020fffaac70a0000010a000002",
     path("192.168.56.11", "192.168.56.12"),
     Checksum::rfc9568,
     {52, 0, 40950ms, {Address::parse("10.0.0.1").value(), Address::parse("10.0.0.2").value()}}},
    {"313d640200014036fe80000000000000000000000000001020010db8000000000000000000000010",
     ipv6,
     Checksum::rfc9568,
     {61, 100, 10ms, {Address::parse("fe80::10").value(), Address::parse("2001:db8::10").value()}}},
};

/// A golden IPv4 advert with some bytes changed and its sum made right again.
Bytes altered(std::initializer_list<std::pair<std::size_t, int>> changes) {
  Bytes bytes = from_hex(goldens[0].hex);
  for (const auto& [at, value] : changes) bytes.at(at) = static_cast<std::byte>(value);
  bytes[6] = bytes[7] = std::byte{0};
  unsigned sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    sum += std::to_integer<unsigned>(bytes[i]) << 8 | std::to_integer<unsigned>(bytes[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  bytes[6] = static_cast<std::byte>(~sum >> 8 & 0xff);
  bytes[7] = static_cast<std::byte>(~sum & 0xff);
  return bytes;
}

}  // namespace

TEST_CASE("an advert is written and read as the RFC draws it") {
  for (const Golden& golden : goldens) {
    CAPTURE(golden.hex);
    CHECK(encode(golden.advert, golden.path, golden.checksum) == from_hex(golden.hex));
    CHECK(vrrp::decode(from_hex(golden.hex), golden.path) == golden.advert);
  }
}

TEST_CASE("every truncation of an advert is refused, and every extension") {
  for (const Golden& golden : goldens) {
    Bytes bytes = from_hex(golden.hex);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto advert = vrrp::decode(std::span(bytes).first(length), golden.path);
      REQUIRE_FALSE(advert);
      CHECK(advert.error() == (length < 8 ? RejectReason::truncated : RejectReason::length));
    }
    bytes.resize(bytes.size() + golden.path.source.bytes().size());
    CHECK(vrrp::decode(bytes, golden.path).error() == RejectReason::length);
  }
}

TEST_CASE("every flipped bit is noticed") {
  for (const Golden& golden : goldens) {
    const Bytes bytes = from_hex(golden.hex);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      Bytes flipped = bytes;
      flipped[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      CAPTURE(golden.hex, bit);
      CHECK_FALSE(vrrp::decode(flipped, golden.path));
    }
  }
}

TEST_CASE("each thing that is wrong has its own reason") {
  const auto reason = [](std::initializer_list<std::pair<std::size_t, int>> changes) {
    return vrrp::decode(altered(changes), ipv4).error();
  };
  REQUIRE(vrrp::decode(altered({}), ipv4));
  CHECK(reason({{0, 0x21}}) == RejectReason::version);
  CHECK(reason({{0, 0x41}}) == RejectReason::version);
  CHECK(reason({{0, 0x32}}) == RejectReason::type);
  CHECK(reason({{3, 0}}) == RejectReason::length);
  CHECK(reason({{3, 2}}) == RejectReason::length);
  CHECK(reason({{3, 255}}) == RejectReason::length);
  CHECK(reason({{1, 0}}) == RejectReason::router_id);
  CHECK(reason({{4, 0}, {5, 0}}) == RejectReason::interval);
  CHECK(reason({{4, 0xf0}, {5, 0}}) == RejectReason::interval);

  Bytes empty = altered({{3, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 0}});
  empty.resize(8);
  CHECK(vrrp::decode(empty, ipv4).error() == RejectReason::no_address);
}

TEST_CASE("the reserved bits beside the interval are ignored") {
  CHECK(vrrp::decode(altered({{4, 0xf0}}), ipv4) == goldens[0].advert);
}

TEST_CASE("an IPv6 sum is bound to the packet's addresses, an IPv4 one of RFC 9568 is not") {
  CHECK(vrrp::decode(from_hex(goldens[3].hex), path("fe80::2", "ff02::12")).error() == RejectReason::checksum);
  CHECK(vrrp::decode(from_hex(goldens[0].hex), path("192.168.56.12", "224.0.0.18")) == goldens[0].advert);
  CHECK(vrrp::decode(from_hex(goldens[1].hex), path("192.168.56.12", "224.0.0.18")).error() == RejectReason::checksum);
}

TEST_CASE("the longest address lists go through") {
  for (const Path& way : {ipv4, ipv6}) {
    const Advert advert{
        .router_id = 255, .priority = 254, .max_advertise_interval = 250ms, .addresses = std::vector(255, way.source)};
    CHECK(vrrp::decode(encode(advert, way, Checksum::rfc9568), way) == advert);
  }
}

TEST_CASE("random bytes never pass for an advert") {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    Bytes bytes(random() % 64);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    if (bytes.size() >= 8 && i % 2 == 0) {  // get past the first checks
      bytes[0] = std::byte{0x31};
      bytes[3] = static_cast<std::byte>((bytes.size() - 8) / 4);
    }
    const auto advert = vrrp::decode(bytes, i % 3 == 0 ? ipv6 : ipv4);
    if (advert) CHECK(advert->addresses.size() == std::to_integer<std::size_t>(bytes[3]));
  }
}

TEST_CASE("every reason has a name of its own") {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < vrrp::reject_reason_count; ++i) names.push_back(to_string(static_cast<RejectReason>(i)));
  std::ranges::sort(names);
  CHECK(std::ranges::adjacent_find(names) == names.end());
  CHECK(std::ranges::find(names, "") == names.end());
  CHECK(to_string(RejectReason::owner) == "owner");
}
