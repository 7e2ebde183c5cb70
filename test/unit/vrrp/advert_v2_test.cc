#include <random>

#include "test/catch.h"
#include "test/unit/vrrp/bytes.h"
#include "vrrp/advert.h"

using namespace std::chrono_literals;
using namespace vrrp_test;
using vrrp::RejectReason;

namespace {

const vrrp::Advert advert = {51, 150, 1s, {net::Address::parse("192.168.56.10").value()}};

// Sums computed apart from this code, by RFC 1071's definition.
const Bytes plain = from_hex("2133960100015017c0a8380a0000000000000000");
const Bytes with_password = from_hex("21339601010112cbc0a8380a7365637265740000");

RejectReason reject_reason(const Bytes& bytes, std::string_view password = "") {
  const auto decoded = vrrp::decode_v2(bytes, password);
  REQUIRE_FALSE(decoded);
  return decoded.error();
}

}  // namespace

TEST_CASE("version 2 is written and read as RFC 3768 says, with a password or without") {
  CHECK(vrrp::encode_v2(advert, "") == plain);
  CHECK(vrrp::encode_v2(advert, "secret") == with_password);
  CHECK(vrrp::decode_v2(plain, "") == advert);
  CHECK(vrrp::decode_v2(with_password, "secret") == advert);
}

TEST_CASE("version 2 with another password, or one where none is, is refused") {
  CHECK(reject_reason(with_password, "Secret") == RejectReason::password);
  CHECK(reject_reason(with_password, "secre") == RejectReason::password);
  CHECK(reject_reason(with_password) == RejectReason::password);
  CHECK(reject_reason(plain, "secret") == RejectReason::password);
}

TEST_CASE("version 2 that was cut short or changed on the way is refused") {
  for (std::size_t size = 0; size < plain.size(); ++size) {
    CHECK_FALSE(vrrp::decode_v2(std::span(plain).first(size), ""));
  }
  for (std::size_t bit = 0; bit < plain.size() * 8; ++bit) {
    Bytes bytes = plain;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    CHECK_FALSE(vrrp::decode_v2(bytes, ""));
  }
  Bytes longer = plain;
  longer.resize(longer.size() + 4);
  CHECK(reject_reason(longer) == RejectReason::length);
  CHECK(reject_reason(from_hex("3133960100643fb4c0a8380a")) == RejectReason::version);
}

TEST_CASE("version 2 that is noise is refused, whatever its length") {
  std::mt19937 random(1);
  int read = 0;
  for (int i = 0; i < 100'000; ++i) {
    Bytes bytes(random() % 64);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    if (!bytes.empty()) bytes[0] = std::byte{0x21};
    read += vrrp::decode_v2(bytes, "") ? 1 : 0;
  }
  CHECK(read <= 2);  // a checksum lets one in 65536 pass, if the length is right
}
