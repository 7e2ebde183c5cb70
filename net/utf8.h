#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text that others wrote: names, reasons, messages.
namespace net {

/// The length of the UTF-8 sequence at the start of `text`, which is not empty; 0 when there is none (RFC 3629
/// section 4).
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// Whether a character, one UTF-8 sequence, would control a terminal: C0, DEL, C1.
[[nodiscard]] bool is_control(std::string_view character);

/// A byte that cannot be shown as it is, as \n, \r, \t or \xNN.
[[nodiscard]] std::string escaped(char byte);

/// `text` as part of a line for a log or a terminal: control characters as \n, \r, \t or \xNN, bytes that are not
/// UTF-8 as \xNN, the rest as it is. A backslash stays too: applying it twice changes nothing.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace net
