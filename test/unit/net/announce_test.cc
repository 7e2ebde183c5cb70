#include "net/announce.h"

#include <string>

#include "test/catch.h"

using net::Address;
using net::ArpForm;

namespace {

const net::Mac mac = {std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0xaa}, std::byte{0xbb}, std::byte{0xcc}};

std::string hex(const std::vector<std::byte>& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : bytes) {
    text += digits[std::to_integer<unsigned>(byte) >> 4];
    text += digits[std::to_integer<unsigned>(byte) & 0xf];
  }
  return text;
}

}  // namespace

TEST_CASE("a gratuitous ARP request names the address as sender and target") {
  CHECK(hex(gratuitous_arp(ArpForm::request, mac, Address::parse("192.168.56.10").value())) ==
        "ffffffffffff"
        "020000aabbcc"
        "0806"
        "0001080006040001"
        "020000aabbcc"
        "c0a8380a"
        "000000000000"
        "c0a8380a");
}

TEST_CASE("a gratuitous ARP reply goes to everybody") {
  CHECK(hex(gratuitous_arp(ArpForm::reply, mac, Address::parse("192.168.56.10").value())) ==
        "ffffffffffff"
        "020000aabbcc"
        "0806"
        "0001080006040002"
        "020000aabbcc"
        "c0a8380a"
        "ffffffffffff"
        "c0a8380a");
}

TEST_CASE("an unsolicited neighbour advertisement overrides what the neighbours know") {
  CHECK(hex(unsolicited_advertisement(mac, Address::parse("2001:db8::10").value())) ==
        "333300000001"
        "020000aabbcc"
        "86dd"
        "6000000000203aff"
        "20010db8000000000000000000000010"
        "ff020000000000000000000000000001"
        "8800bc96a0000000"
        "20010db8000000000000000000000010"
        "0201020000aabbcc");
}
