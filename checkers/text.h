#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "net/time.h"

/// The parts of sentences about probes.
namespace checkers {

/// A duration for a sentence, with at most two figures of detail: "0.4 ms", "250 ms", "1.5 s", "42 s", "5 min 3 s",
/// "3 h 20 min", "4 d 2 h". Negative durations count as zero.
[[nodiscard]] std::string format_duration(net::Duration duration);

/// Bytes from the network, safe to show: in double quotes, printable ASCII as it is, the rest as \n, \r, \t or \xNN,
/// cut after `limit` bytes of input with "..." behind the quote.
[[nodiscard]] std::string quote(std::string_view bytes, std::size_t limit = 40);

}  // namespace checkers
