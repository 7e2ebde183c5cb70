#pragma once

#include "checkers/probe.h"
#include "net/endpoint.h"

namespace checkers {

/// Begins a probe over one TCP connection to `target`: connects, and then lets `conversation` have its say.
[[nodiscard]] Launched launch_stream(net::Loop& loop, const Path& path, const net::Endpoint& target,
                                     std::unique_ptr<Conversation> conversation, Flight::OnLanded on_landed);

}  // namespace checkers
