#pragma once

#include <string_view>

#include "checkers/result.h"
#include "net/endpoint.h"
#include "net/error.h"
#include "net/fd.h"

namespace checkers {

/// A non-blocking stream socket with its connection to `target` under way, or already made. It closes with a RST, so
/// that a probe leaves no TIME_WAIT behind on either side. The error's code is the errno of what failed.
[[nodiscard]] net::Result<net::Fd> connect_stream(const net::Endpoint& target);

/// The error a connection attempt ended with, fetched once (SO_ERROR); 0 if it stands.
[[nodiscard]] int connect_error(const net::Fd& socket);

/// The result of a socket call that failed: this machine's own want of descriptors, ports, memory or permission is
/// not_run; everything else (refused, reset, unreachable) is the target's or its path's failure.
[[nodiscard]] Result socket_failure(int error, std::string_view doing);

}  // namespace checkers
