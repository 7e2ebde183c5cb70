#include "net/address.h"

#include <string>

#include "net/endpoint.h"
#include "net/time.h"
#include "test/catch.h"

using net::Address;
using net::Endpoint;
using net::Prefix;

TEST_CASE("an address prints as it was written") {
  for (const std::string text : {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::7"}) {
    const auto address = Address::parse(text);
    REQUIRE(address);
    CHECK(to_string(*address) == text);
    CHECK(Address::from_bytes(address->bytes()) == address);
  }
}

TEST_CASE("what is not a numeric address is refused") {
  using namespace std::literals;
  for (const std::string& text :
       {""s, "localhost"s, "1.2.3"s, "1.2.3.256"s, "1.2.3.4 "s, "::1%lo"s, "[::1]"s, "1.2.3.4\0x"s}) {
    CHECK_FALSE(Address::parse(text));
  }
}

TEST_CASE("addresses know their kind") {
  CHECK(Address::parse("224.0.0.18")->is_multicast());
  CHECK(Address::parse("ff02::12")->is_multicast());
  CHECK_FALSE(Address::parse("192.0.2.1")->is_multicast());
  CHECK(Address::parse("127.0.0.9")->is_loopback());
  CHECK(Address::parse("::1")->is_loopback());
  CHECK_FALSE(Address::parse("::2")->is_loopback());
  CHECK_FALSE(Address::parse("2001:db8::1")->is_loopback());
  CHECK_FALSE(Address::parse("128.0.0.1")->is_loopback());
  CHECK(Address::parse("fe80::1")->is_link_local());
  CHECK(Address::parse("169.254.1.1")->is_link_local());
  CHECK_FALSE(Address::parse("2001:db8::1")->is_link_local());
  CHECK(Address::any(net::Family::ipv6).is_any());
  CHECK(Address::parse("1.0.0.0") < Address::parse("::"));
}

TEST_CASE("a prefix contains the addresses of its network") {
  const auto network = Prefix::parse("192.168.56.10/20");
  REQUIRE(network);
  CHECK(to_string(*network) == "192.168.56.10/20");
  CHECK(network->contains(*Address::parse("192.168.48.1")));
  CHECK(network->contains(*Address::parse("192.168.63.255")));
  CHECK_FALSE(network->contains(*Address::parse("192.168.64.0")));
  CHECK_FALSE(network->contains(*Address::parse("::1")));
  CHECK(Prefix::parse("0.0.0.0/0")->contains(*Address::parse("10.0.0.1")));
  CHECK(Prefix::parse("10.0.0.1")->length == 32);
  CHECK(Prefix::parse("2001:db8::/33")->contains(*Address::parse("2001:db8:7fff::")));
  CHECK_FALSE(Prefix::parse("2001:db8::/33")->contains(*Address::parse("2001:db8:8000::")));
}

TEST_CASE("a network has no host bits") {
  const auto network_of = [](std::string_view text) { return to_string(Prefix::parse(text)->network()); };
  CHECK(network_of("192.168.56.10/20") == "192.168.48.0/20");
  CHECK(network_of("192.168.56.10/32") == "192.168.56.10/32");
  CHECK(network_of("192.168.56.10/0") == "0.0.0.0/0");
  CHECK(network_of("2001:db8:ffff::1/33") == "2001:db8:8000::/33");
  CHECK(network_of("2001:db8::1/128") == "2001:db8::1/128");
}

TEST_CASE("what is not a prefix is refused") {
  for (const std::string text : {"10.0.0.1/33", "::/129", "10.0.0.1/", "10.0.0.1/-1", "10.0.0.1/8x", "/8", "x/8"}) {
    CHECK_FALSE(Prefix::parse(text));
  }
}

TEST_CASE("an endpoint is an address and a port") {
  for (const std::string text : {"192.0.2.1:80", "[2001:db8::1]:65535", "0.0.0.0:0"}) {
    const auto endpoint = Endpoint::parse(text);
    REQUIRE(endpoint);
    CHECK(to_string(*endpoint) == text);
  }
  for (const std::string text :
       {"", ":80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "::1:80", "[1.2.3.4]:80", "1.2.3.4:8x"}) {
    CHECK_FALSE(Endpoint::parse(text));
  }
}

TEST_CASE("durations print in the largest exact unit") {
  using namespace std::chrono_literals;
  CHECK(net::to_string(0s) == "0s");
  CHECK(net::to_string(250ms) == "250ms");
  CHECK(net::to_string(1500ms) == "1500ms");
  CHECK(net::to_string(2s) == "2s");
  CHECK(net::to_string(300s) == "5m");
  CHECK(net::to_string(2h) == "2h");
  CHECK(net::to_string(10us) == "1ms");
}
