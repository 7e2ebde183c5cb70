#pragma once

#include "checkers/probe.h"
#include "checkers/probes/http.h"
#include "checkers/probes/tls.h"

namespace checkers {

/// Begins an http probe that follows redirects: one connection after the other. `plan`, `path` and `tls` must outlive
/// the run; `mark` as in Prober::start.
[[nodiscard]] StartedProbe start_http(net::Loop& loop, const Path& path, std::uint32_t mark,
                                      const net::Endpoint& target, const HttpPlan& plan, const TlsContext& tls,
                                      ProbeRun::OnDone on_done);

}  // namespace checkers
