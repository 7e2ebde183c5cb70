#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "vrrp/advert.h"
#include "vrrp/spec.h"

/// A trailer behind an advert that proves who sent it, and when (RFC 2104 with SHA-256). Both ends must be of ours.
namespace vrrp {

inline constexpr std::size_t trailer_size = 48;

/// `advert`, or a hello, with a trailer by `key` for this `path`. In one life of a sender its sequences only ever rise.
[[nodiscard]] std::vector<std::byte> sign(std::span<const std::byte> advert, const Path& path, const Key& key,
                                          std::uint64_t sequence);

/// What a packet carried, once its trailer is known to be good or known to be absent.
struct VerifiedPacket {
  std::span<const std::byte> advert;
  std::optional<std::uint64_t> sequence;  ///< of a signed one
  bool understands_hello = false;         ///< the signer does; see hello.h
  bool answers_challenges = false;        ///< the signer does: it understands hellos of version 2
};

/// Refusals: not_signed (by `signing.mode`), signature (no such key, or it does not fit).
[[nodiscard]] std::expected<VerifiedPacket, RejectReason> verify(std::span<const std::byte> packet, const Path& path,
                                                                 const Signing& signing);

/// Whether a sequence of a sender that answers no challenges is a new one: greater than the last of the same sender, or
/// of a sender that was never heard, the time of day in microseconds, give or take five minutes.
[[nodiscard]] bool is_new(std::uint64_t sequence, std::optional<std::uint64_t> last, std::uint64_t time_of_day);

}  // namespace vrrp
