#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

/// The part of DNS messages (RFC 1035 section 4) that asking one question needs.
namespace checkers::dns {

struct Question {
  std::uint16_t id = 0;
  std::string name;  ///< dotted, with or without the last dot; the root is "."
  std::uint16_t type = 0;
};

/// A query with recursion desired. The name's labels are 1..63 bytes long; a longer one is cut.
[[nodiscard]] std::string pack(const Question& question);

struct Response {
  std::uint8_t rcode = 0;
  bool truncated = false;               ///< TC: there would have been more
  std::vector<net::Address> addresses;  ///< of the answer section's A and AAAA records, at most 64
};

enum class ParseError : std::uint8_t {
  another,    ///< not a response to this question: to be ignored
  malformed,  ///< cut off, or pointing outside of itself
};

/// Reads what claims to be the response to `question`.
[[nodiscard]] std::expected<Response, ParseError> parse(std::string_view message, const Question& question);

/// "NOERROR", "NXDOMAIN", or "RCODE11".
[[nodiscard]] std::string name_of_rcode(std::uint8_t rcode);

}  // namespace checkers::dns
