#include "checkers/spec.h"
#include "test/catch.h"

using checkers::Http;
using checkers::Key;
using checkers::make_key;
using checkers::Tcp;
using net::Endpoint;

TEST_CASE("a key prints as its kind and where it is aimed") {
  const auto v4 = *Endpoint::parse("192.168.200.11:80");
  const auto v6 = *Endpoint::parse("[2001:db8::7]:25");
  CHECK(to_string(Key{.target = v6, .spec = {.kind = Tcp{}}}) == "tcp [2001:db8::7]:25");
  CHECK(to_string(Key{.target = v4, .spec = {.kind = Http{.path = "/health"}}}) == "http 192.168.200.11:80/health");
}

TEST_CASE("keys are equal when all that is asked of the target is") {
  const Key key{.target = *Endpoint::parse("10.0.0.1:80"), .spec = {.kind = Http{}}};
  auto other = key;
  CHECK(other == key);
  other.spec.thresholds.fall = 4;
  CHECK(other != key);
  other = key;
  other.spec.kind = Tcp{};
  CHECK(other != key);
}

TEST_CASE("an override aims the check elsewhere and leaves no trace in its name") {
  const auto server = *Endpoint::parse("10.0.0.1:80");
  checkers::Spec spec{.kind = Tcp{}, .port = 8081};
  CHECK(to_string(make_key(spec, server)) == "tcp 10.0.0.1:8081");
  CHECK(make_key(spec, server) == make_key({.kind = Tcp{}}, *Endpoint::parse("10.0.0.1:8081")));
  spec.address = net::Address::parse("10.0.0.9");
  spec.port = 0;
  CHECK(to_string(make_key(spec, server)) == "tcp 10.0.0.9:80");
}
