#pragma once

#include "checkers/probe.h"
#include "net/fd.h"

namespace checkers {

/// Begins a probe over a connected datagram socket: asks, and lets `exchange` judge what comes back. An ICMP refusal is
/// a failure.
[[nodiscard]] Launched launch_datagram(net::Loop& loop, net::Result<net::Fd> socket, std::unique_ptr<Exchange> exchange,
                                       Flight::OnLanded on_landed);

}  // namespace checkers
