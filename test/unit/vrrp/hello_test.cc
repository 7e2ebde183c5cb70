#include "vrrp/hello.h"

#include "test/catch.h"
#include "test/unit/vrrp/bytes.h"

using namespace vrrp_test;
using vrrp::decode_hello;
using vrrp::Hello;
using vrrp::RejectReason;

namespace {

const vrrp::Digest digest = [] {
  vrrp::Digest made;
  std::ranges::copy(from_hex("0123456789abcdef"), made.begin());
  return made;
}();
const Hello question{.router_id = 51, .question = true, .from = {.node = "lb1", .version = "0.1.0", .files = digest}};
const Bytes bytes = from_hex(
    "30330101"
    "0123456789abcdef"
    "05302e312e30"
    "036c6231");

// The same with a challenge.
const Hello challenging = [] {
  Hello hello = question;
  hello.nonces = {.challenge = 0x1122334455667788, .response = 0x99aabbccddeeff00};
  return hello;
}();
const Bytes with_nonces = from_hex(
    "30330201"
    "0123456789abcdef"
    "05302e312e30"
    "036c6231"
    "1122334455667788"
    "99aabbccddeeff00");

Bytes first(std::size_t size, const Bytes& of = bytes) {
  return {of.begin(), of.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace

TEST_CASE("a hello is these bytes, and is read as it is written") {
  CHECK(vrrp::encode(question) == bytes);
  CHECK(decode_hello(bytes) == question);
  Hello answer = question;
  answer.question = false;
  answer.from = {};
  CHECK(decode_hello(vrrp::encode(answer)) == answer);
}

TEST_CASE("a hello with a challenge is of version 2, and has it at its end") {
  CHECK(vrrp::encode(challenging) == with_nonces);
  CHECK(decode_hello(with_nonces) == challenging);
  Hello answer = challenging;
  answer.question = false;
  answer.nonces = vrrp::Nonces{};
  CHECK(decode_hello(vrrp::encode(answer)) == answer);
}

TEST_CASE("no advert is a hello, and no hello an advert") {
  CHECK(vrrp::is_hello(bytes));
  CHECK_FALSE(vrrp::is_hello({}));
  for (const auto* advert : {"3133960100643fb4c0a8380a", "2133960100643fb4c0a8380a"}) {
    CHECK_FALSE(vrrp::is_hello(from_hex(advert)));
    CHECK(decode_hello(from_hex(advert)).error() == RejectReason::version);
  }
  const vrrp::Path path{.source = net::Address::parse("192.168.56.11").value(),
                        .destination = net::Address::parse("192.168.56.12").value()};
  CHECK_FALSE(vrrp::decode(bytes, path));
}

TEST_CASE("a hello is refused unless it is whole, and nothing else") {
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO(size);
    CHECK(decode_hello(first(size)).error() == RejectReason::truncated);
  }
  for (std::size_t size = 0; size < with_nonces.size(); ++size) {
    INFO(size);
    CHECK(decode_hello(first(size, with_nonces)).error() == RejectReason::truncated);
  }
  for (Bytes longer : {bytes, with_nonces}) {
    longer.push_back(std::byte{});
    CHECK(decode_hello(longer).error() == RejectReason::length);
  }
  Bytes long_text = bytes;
  long_text[12] = std::byte{65};
  long_text.resize(200);
  CHECK(decode_hello(long_text).error() == RejectReason::length);
  for (const int other : {0, 3, 255}) {
    Bytes later = with_nonces;
    later[2] = static_cast<std::byte>(other);
    CHECK(decode_hello(later).error() == RejectReason::version);
  }
}

TEST_CASE("names are bounded, and are as they came") {
  Hello hello = question;
  hello.from.node = std::string(100, 'n');
  const auto read = decode_hello(vrrp::encode(hello));
  REQUIRE(read);
  CHECK(read->from.node == std::string(64, 'n'));
  hello.from.node = "l\x1b[2Jb\n\xff";
  CHECK(decode_hello(vrrp::encode(hello)) == hello);
}
