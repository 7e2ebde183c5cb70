#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/endpoint.h"
#include "net/fd.h"
#include "net/time.h"

namespace lab {

/// A non-blocking TCP socket that is connecting, or an empty one where connect failed at once. It closes with a reset,
/// so that thousands of short connections leave no TIME_WAIT behind. It comes from `source_port`, or from any where
/// that is 0.
net::Fd start_connecting(const net::Endpoint& to, std::uint16_t source_port = 0);

/// "GET <path>", to be answered on a connection of its own.
std::string get_request(std::string_view path);

struct Reply {
  int status = 0;
  std::string body;
};

/// The reply in `bytes`, once all of it is there (by its Content-Length).
std::optional<Reply> parse_reply(std::string_view bytes);

/// One request on a new connection, from the namespace of the calling thread. Nothing if there was no whole reply
/// within `limit`: no connection, a reset, silence, or not HTTP.
std::optional<Reply> get(const net::Endpoint& from, std::string_view path, net::Duration limit);

}  // namespace lab
