#pragma once

#include <cstdint>
#include <string_view>

#include "checkers/result.h"
#include "checkers/spec.h"
#include "net/endpoint.h"
#include "net/error.h"
#include "net/fd.h"

namespace checkers {

/// A non-blocking socket that leaves as `path` says; `mark`, where it is not 0, takes the place of its mark.
[[nodiscard]] net::Result<net::Fd> open_socket(net::Family family, int type, int protocol, const Path& path,
                                               std::uint32_t mark);

/// A stream socket with its connection to `target` under way, or already made. It closes with a RST, so that a probe
/// leaves no TIME_WAIT behind on either side.
[[nodiscard]] net::Result<net::Fd> connect_stream(const Path& path, std::uint32_t mark, const net::Endpoint& target);

/// A datagram socket whose only peer is `target`, so that ICMP errors reach it.
[[nodiscard]] net::Result<net::Fd> connect_datagram(const Path& path, std::uint32_t mark, const net::Endpoint& target);

/// The same for ICMP echo: a ping socket, or where this process may not have one, a raw one. Of a raw IPv4 socket's
/// datagrams the IP header is the beginning.
[[nodiscard]] net::Result<net::Fd> connect_echo(const Path& path, std::uint32_t mark, const net::Address& target);

/// The error a connection attempt ended with, fetched once (SO_ERROR); 0 if it stands.
[[nodiscard]] int connect_error(const net::Fd& socket);

/// The result of a probe that none of the above began: but for a target that refuses at once, this host's own fault.
[[nodiscard]] Result start_failure(const net::Error& error, std::string_view doing);

/// The result of a call on a socket that is connected, or of its connection attempt: but for this host's packet filter
/// and want of memory, the target's failure or its path's.
[[nodiscard]] Result socket_failure(int error, std::string_view doing);

}  // namespace checkers
