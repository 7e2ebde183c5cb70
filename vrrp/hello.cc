#include "vrrp/hello.h"

#include <algorithm>
#include <string_view>

#include "vrrp/wire.h"

// The packet, before its trailer:
//
//   0 | VRRP version 3, type 0, which no RFC has given a meaning      1 | VRID      2 | 1 or 2: the hello's own version
//   3 | 1: a question, 0: an answer      4..11 | checksum      12 | length and bytes of the version, then of the name
//   then, of version 2:  8 bytes | the challenge      8 bytes | the response

namespace vrrp {

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::byte version_and_type{0x30};
constexpr std::byte plain_version{1};
constexpr std::byte version_with_nonces{2};
constexpr std::size_t nonces_size = 16;
constexpr std::size_t checksum_offset = 4;
constexpr std::size_t texts_offset = 12;
constexpr std::size_t text_max = 64;

void append(std::vector<std::byte>& packet, std::string_view text) {
  const auto cut = text.substr(0, text_max);
  packet.push_back(static_cast<std::byte>(cut.size()));
  std::ranges::copy(std::as_bytes(std::span(cut)), std::back_inserter(packet));
}

/// Takes a text from the front of `rest`.
std::expected<std::string, RejectReason> take_text(Bytes& rest) {
  if (rest.empty()) return std::unexpected(RejectReason::truncated);
  const auto size = std::to_integer<std::size_t>(rest.front());
  if (size > text_max) return std::unexpected(RejectReason::length);
  if (rest.size() < 1 + size) return std::unexpected(RejectReason::truncated);
  std::string text(size, ' ');
  std::ranges::transform(rest.subspan(1, size), text.begin(), [](std::byte byte) { return static_cast<char>(byte); });
  rest = rest.subspan(1 + size);
  return text;
}

}  // namespace

bool is_hello(Bytes bytes) { return !bytes.empty() && bytes.front() == version_and_type; }

std::vector<std::byte> encode(const Hello& hello) {
  std::vector packet{version_and_type, std::byte{hello.router_id}, hello.nonces ? version_with_nonces : plain_version,
                     std::byte{hello.question}};
  std::ranges::copy(hello.from.files, std::back_inserter(packet));
  append(packet, hello.from.version);
  append(packet, hello.from.node);
  if (hello.nonces) {
    wire::append_big_endian64(packet, hello.nonces->challenge);
    wire::append_big_endian64(packet, hello.nonces->response);
  }
  return packet;
}

std::expected<Hello, RejectReason> decode_hello(Bytes bytes) {
  if (bytes.size() < texts_offset) return std::unexpected(RejectReason::truncated);
  const std::byte version = bytes[2];
  if (!is_hello(bytes) || (version != plain_version && version != version_with_nonces))
    return std::unexpected(RejectReason::version);
  Hello hello{.router_id = std::to_integer<std::uint8_t>(bytes[1]), .question = bytes[3] == std::byte{1}, .from = {}};
  std::ranges::copy(bytes.subspan(checksum_offset, hello.from.files.size()), hello.from.files.begin());
  Bytes rest = bytes.subspan(texts_offset);
  for (std::string* text : {&hello.from.version, &hello.from.node}) {
    auto taken = take_text(rest);
    if (!taken) return std::unexpected(taken.error());
    *text = *std::move(taken);
  }
  if (version == version_with_nonces) {
    if (rest.size() < nonces_size) return std::unexpected(RejectReason::truncated);
    hello.nonces = {.challenge = wire::big_endian64(rest), .response = wire::big_endian64(rest.subspan(8))};
    rest = rest.subspan(nonces_size);
  }
  if (!rest.empty()) return std::unexpected(RejectReason::length);
  return hello;
}

}  // namespace vrrp
