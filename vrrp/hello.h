#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vrrp/advert.h"

/// What the directors of a cluster tell each other beside adverts: a packet of our own, always signed, from one node to
/// another. It is sent only to who has shown, in a signed advert, that it understands it: nobody else ever sees one.
namespace vrrp {

/// The first bytes of the SHA-256 of a node's cluster files.
using Digest = std::array<std::byte, 8>;

/// Who a director is and what it runs.
struct Identity {
  std::string node;     ///< its name in the cluster file; 64 bytes at most
  std::string version;  ///< of the program; 64 bytes at most
  Digest files{};       ///< of the cluster file that is in force there, and all that it includes

  bool operator==(const Identity&) const = default;
};

/// How one end proves to the other that what it signs is of now: the answer repeats the question's random number.
struct Nonces {
  std::uint64_t challenge = 0;  ///< of a question: what its answer must repeat; 0: nothing
  std::uint64_t response = 0;   ///< of an answer: the question's challenge; 0: none

  bool operator==(const Nonces&) const = default;
};

struct Hello {
  std::uint8_t router_id = 0;  ///< VRID, 1..255
  bool question = false;       ///< the sender wants to be told the same; an answer is never answered
  Identity from;
  /// With them it is of version 2, which is sent only to who has shown that it answers challenges; else of version 1.
  std::optional<Nonces> nonces{};

  bool operator==(const Hello&) const = default;
};

/// Whether bytes may be a hello, and are no advert.
[[nodiscard]] bool is_hello(std::span<const std::byte> bytes);

/// The hello before it is signed. Longer names are cut off.
[[nodiscard]] std::vector<std::byte> encode(const Hello& hello);

/// Reads what a signature was good for, of version 1 or 2: it must be whole, and nothing else. Refusals: version (a
/// later one's), truncated, length. Its texts are as they came, and may hold what controls a terminal.
[[nodiscard]] std::expected<Hello, RejectReason> decode_hello(std::span<const std::byte> bytes);

}  // namespace vrrp
