#pragma once

#include "checkers/probe.h"
#include "net/fd.h"

namespace checkers {

/// Begins a probe over a connected datagram socket: asks, and lets `exchange` judge what comes back. An ICMP refusal is
/// a failure.
[[nodiscard]] StartedProbe start_datagram(net::Loop& loop, net::Result<net::Fd> socket,
                                          std::unique_ptr<Exchange> exchange, ProbeRun::OnDone on_done);

}  // namespace checkers
