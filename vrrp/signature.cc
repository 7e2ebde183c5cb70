#include "vrrp/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "vrrp/wire.h"

// The trailer, behind the last byte of the advert that RFC 9568 knows:
//
//   0..3   "dvh1"   4 | key id   5 | features   6..7 | balance   8..15 | sequence   16..47 | HMAC-SHA-256
//
// Features are bits that receivers skip where they do not know them: 1 says that the signer understands hellos, 2 that
// it answers challenges, which is what hellos of version 2 are for.
// The code covers the packet's source and destination, the advert, and the trailer before it, with a balance of 0. The
// advert's own checksum does not cover the trailer; the balance makes the trailer sum to nothing, so that the checksum
// also holds for who sums the whole packet, as analysers do. It was 0 once.

namespace vrrp {

namespace {

using Bytes = std::span<const std::byte>;
using Code = std::array<unsigned char, 32>;

constexpr std::array<std::byte, 4> magic = {std::byte{'d'}, std::byte{'v'}, std::byte{'h'}, std::byte{'1'}};
constexpr std::size_t key_offset = 4;
constexpr std::size_t features_offset = 5;
constexpr std::size_t balance_offset = 6;
constexpr std::size_t sequence_offset = 8;
constexpr std::size_t code_offset = 16;
constexpr std::byte understands_hello{1};
constexpr std::byte answers_challenges{2};
constexpr std::uint64_t clocks_may_differ = 5ULL * 60 * 1'000'000;

Code code_of(Bytes covered, const Path& path, const Key& key) {
  std::vector<std::byte> message(path.source.bytes().begin(), path.source.bytes().end());
  std::ranges::copy(path.destination.bytes(), std::back_inserter(message));
  std::ranges::copy(covered, std::back_inserter(message));
  Code code{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.secret.data(), static_cast<int>(key.secret.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), code.data(), &size);
  return code;
}

/// What the trailer adds to the sum of an advert: 0xffff is nothing.
std::uint32_t sum_of(Bytes trailer, Bytes advert, const Path& path) {
  // A pseudo-header before the advert counts the trailer's length too.
  const bool pseudo_header = path.source.is_v6() || wire::fold(wire::sum(advert)) != 0xffff;
  return wire::fold(wire::sum(trailer) + (pseudo_header ? std::uint32_t{trailer_size} : 0));
}

}  // namespace

std::vector<std::byte> sign(Bytes advert, const Path& path, const Key& key, std::uint64_t sequence) {
  std::vector<std::byte> packet(advert.begin(), advert.end());
  std::ranges::copy(magic, std::back_inserter(packet));
  packet.push_back(std::byte{key.id});
  packet.push_back(understands_hello | answers_challenges);
  packet.resize(advert.size() + sequence_offset);
  wire::append_big_endian64(packet, sequence);
  const Code code = code_of(packet, path, key);
  std::ranges::copy(std::as_bytes(std::span(code)), std::back_inserter(packet));
  const auto trailer = std::span(packet).last(trailer_size);
  wire::put_big_endian16(trailer.subspan(balance_offset), ~sum_of(trailer, advert, path));
  return packet;
}

std::expected<VerifiedPacket, RejectReason> verify(Bytes packet, const Path& path, const Signing& signing) {
  const bool has_trailer =
      packet.size() > trailer_size && std::ranges::equal(packet.last(trailer_size).first(magic.size()), magic);
  if (!has_trailer) {
    if (signing.mode == SigningMode::enforce) return std::unexpected(RejectReason::not_signed);
    return VerifiedPacket{.advert = packet, .sequence = {}};
  }
  const Bytes trailer = packet.last(trailer_size);
  const auto key = std::ranges::find(signing.keys, std::to_integer<std::uint8_t>(trailer[key_offset]), &Key::id);
  if (key == signing.keys.end()) return std::unexpected(RejectReason::signature);
  std::vector<std::byte> covered(packet.begin(), packet.end() - (trailer_size - code_offset));
  std::ranges::fill(std::span(covered).last(code_offset).subspan(balance_offset, 2), std::byte{0});
  const Code expected = code_of(covered, path, *key);
  const Bytes advert = packet.first(packet.size() - trailer_size);
  if (CRYPTO_memcmp(expected.data(), trailer.subspan(code_offset).data(), expected.size()) != 0 ||
      (wire::sum(trailer.subspan(balance_offset, 2)) != 0 && sum_of(trailer, advert, path) != 0xffff)) {
    return std::unexpected(RejectReason::signature);
  }
  const std::byte features = trailer[features_offset];
  return VerifiedPacket{.advert = advert,
                        .sequence = wire::big_endian64(trailer.subspan(sequence_offset)),
                        .understands_hello = (features & understands_hello) != std::byte{},
                        .answers_challenges = (features & answers_challenges) != std::byte{}};
}

bool is_new(std::uint64_t sequence, std::optional<std::uint64_t> last, std::uint64_t time_of_day) {
  if (last) return sequence > *last;
  return sequence <= time_of_day + clocks_may_differ && time_of_day <= sequence + clocks_may_differ;
}

}  // namespace vrrp
