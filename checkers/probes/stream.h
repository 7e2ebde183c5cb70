#pragma once

#include <cstdint>

#include "checkers/probe.h"
#include "net/endpoint.h"

namespace checkers {

/// Begins a probe over one TCP connection to `target`: connects, and then lets `conversation` have its say.
/// `mark` as in Prober::start.
[[nodiscard]] StartedProbe start_stream(net::Loop& loop, const Path& path, std::uint32_t mark,
                                        const net::Endpoint& target, std::unique_ptr<Conversation> conversation,
                                        ProbeRun::OnDone on_done);

}  // namespace checkers
