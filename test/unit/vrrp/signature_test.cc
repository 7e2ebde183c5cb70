#include "vrrp/signature.h"

#include "test/catch.h"
#include "test/unit/vrrp/bytes.h"

using namespace vrrp_test;
using vrrp::Key;
using vrrp::RejectReason;
using vrrp::Signing;
using vrrp::SigningMode;

namespace {

const vrrp::Path path{.source = net::Address::parse("192.168.56.11").value(),
                      .destination = net::Address::parse("224.0.0.18").value()};
const Bytes advert = from_hex("3133960100643fb4c0a8380a");
const Key key{.id = 7, .secret = "sixteen characters"};
constexpr std::uint64_t sequence = 1'700'000'000'000'000;

// Computed apart from this code, with Python's hmac; the trailer's bytes 6 and 7 make it sum to nothing.
const Bytes signed_advert = from_hex(
    "3133960100643fb4c0a8380a647668310703dbff00060a24181e4000e9d275c9504ad727f0888244301d6016390c455180e63dd934c425cc40"
    "4a8c05");
// As version 0.1.0 signs, which answers no challenges.
const Bytes signed_by_0_1_0 = from_hex(
    "3133960100643fb4c0a8380a6476683107019f9800060a24181e4000f7bc1f4f04a3e0007878db56a1b6ccb0c9feb1804b478bd1c120d78c10"
    "8e70bb");
// As it was before there were hellos.
const Bytes signed_before = from_hex(
    "3133960100643fb4c0a8380a647668310700000000060a24181e4000f0763993a92b4ff2a2a2f723ee55514a9d2550cc01427d4086d569088e"
    "552642");

std::expected<vrrp::VerifiedPacket, RejectReason> verified(const Bytes& packet, SigningMode mode = SigningMode::enforce,
                                                           const vrrp::Path& way = path) {
  return vrrp::verify(packet, way, {.mode = mode, .keys = {{.id = 1, .secret = "another secret of ours"}, key}});
}

}  // namespace

TEST_CASE("a signed advert is what RFC 2104 makes of it, and opens with any of the keys") {
  CHECK(vrrp::sign(advert, path, key, sequence) == signed_advert);
  const auto read = verified(signed_advert);
  REQUIRE(read);
  CHECK(std::ranges::equal(read->advert, advert));
  CHECK(read->sequence == sequence);
  CHECK(read->understands_hello);
  CHECK(read->answers_challenges);
}

TEST_CASE(
    "an advert of as many addresses as there can be fits into a packet of 1,500 bytes, and one of more does not") {
  const bool v6 = GENERATE(false, true), is_signed = GENERATE(false, true);
  const auto address = net::Address::parse(v6 ? "2001:db8::1" : "192.0.2.1").value();
  const vrrp::Path way{.source = address, .destination = address};
  const auto size_of = [&](std::size_t addresses) {
    const vrrp::Advert full{.router_id = 1, .addresses = std::vector(addresses, address)};
    const auto packet = encode(full, way, vrrp::Checksum::rfc5798);
    return (v6 ? 40 : 20) + (is_signed ? sign(packet, way, key, sequence) : packet).size();
  };
  const auto most = vrrp::most_addresses(address.family(), is_signed);
  CHECK(size_of(most) <= 1500);
  if (most < 255) CHECK(size_of(most + 1) > 1500);
}

TEST_CASE("who signs as version 0.1.0 does understands hellos, and answers no challenges") {
  const auto read = verified(signed_by_0_1_0);
  REQUIRE(read);
  CHECK(std::ranges::equal(read->advert, advert));
  CHECK(read->sequence == sequence);
  CHECK(read->understands_hello);
  CHECK_FALSE(read->answers_challenges);
}

TEST_CASE("who signs as before there were hellos is believed, and is sent none") {
  const auto read = verified(signed_before);
  REQUIRE(read);
  CHECK(std::ranges::equal(read->advert, advert));
  CHECK_FALSE(read->understands_hello);
  CHECK_FALSE(read->answers_challenges);
}

TEST_CASE("a signature holds for nothing else: no other bit, end, key or length") {
  for (std::size_t bit = 0; bit < signed_advert.size() * 8; ++bit) {
    Bytes bytes = signed_advert;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    CHECK_FALSE(verified(bytes));
  }
  for (std::size_t size = 0; size < signed_advert.size(); ++size) {
    CHECK_FALSE(verified(Bytes(signed_advert.begin(), signed_advert.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  auto other = path;
  other.source = net::Address::parse("192.168.56.12").value();
  CHECK(verified(signed_advert, SigningMode::enforce, other).error() == RejectReason::signature);
  CHECK(vrrp::verify(signed_advert, path, {.keys = {{.id = 7, .secret = "sixteen charakters"}}}).error() ==
        RejectReason::signature);
  CHECK(vrrp::verify(signed_advert, path, {.keys = {{.id = 8, .secret = key.secret}}}).error() ==
        RejectReason::signature);
}

TEST_CASE("what is not signed is believed where the mode says so, what is signed wrongly never") {
  CHECK(verified(advert).error() == RejectReason::not_signed);
  for (const auto mode : {SigningMode::permissive, SigningMode::receive_only}) {
    const auto read = verified(advert, mode);
    REQUIRE(read);
    CHECK_FALSE(read->sequence);
    Bytes wrong = signed_advert;
    wrong.back() ^= std::byte{1};
    CHECK(verified(wrong, mode).error() == RejectReason::signature);
  }
}

TEST_CASE("an advert is believed once, and from a stranger only if it is of now") {
  CHECK(vrrp::is_new(11, 10, sequence));
  CHECK_FALSE(vrrp::is_new(10, 10, sequence));
  CHECK_FALSE(vrrp::is_new(9, 10, sequence));
  constexpr std::uint64_t minute = 60'000'000;
  CHECK(vrrp::is_new(sequence - 5 * minute, {}, sequence));
  CHECK(vrrp::is_new(sequence + 5 * minute, {}, sequence));
  CHECK_FALSE(vrrp::is_new(sequence - 5 * minute - 1, {}, sequence));
  CHECK_FALSE(vrrp::is_new(sequence + 5 * minute + 1, {}, sequence));
}
