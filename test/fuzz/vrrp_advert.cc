// What an IP packet of protocol 112 carried. The first byte chooses its family, and whether an IPv4 advert's checksum
// is made right: otherwise few inputs would come past it.
#include "test/fuzz/target.h"
#include "vrrp/advert.h"
#include "vrrp/hello.h"

using namespace vrrp;

namespace {

constexpr std::size_t checksum_at = 6;

/// RFC 1071, over the message alone.
void set_checksum(std::vector<std::byte>& message) {
  const auto word = [&](std::size_t at) {
    const auto low = at + 1 < message.size() ? std::to_integer<std::uint32_t>(message[at + 1]) : 0;
    return std::to_integer<std::uint32_t>(message[at]) << 8 | low;
  };
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < message.size(); at += 2) {
    if (at != checksum_at) sum += word(at);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  message[checksum_at] = static_cast<std::byte>(~sum >> 8);
  message[checksum_at + 1] = static_cast<std::byte>(~sum);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::uint8_t choice = fuzz::take_choice(data, size);
  const bool v6 = choice % 2;
  const auto address = [](const char* text) { return *net::Address::parse(text); };
  const Path path = v6 ? Path{.source = address("fe80::1"), .destination = address("ff02::12")}
                       : Path{.source = address("192.0.2.1"), .destination = address("224.0.0.18")};
  const auto bytes = fuzz::as_bytes(data, size);
  std::vector<std::byte> message(bytes.begin(), bytes.end());
  if (choice & 2 && size > checksum_at + 1) set_checksum(message);
  if (const auto hello = decode_hello(message)) {
    fuzz::require(decode_hello(encode(*hello)) == *hello, "a hello is written as it is read");
  }
  const auto advert = decode(message, path);
  if (!advert) return 0;
  for (const Checksum checksum : {Checksum::rfc9568, Checksum::rfc5798}) {
    const auto again = decode(encode(*advert, path, checksum), path);
    fuzz::require(again && *again == *advert, "an advert is written as it is read");
  }
  return 0;
}
