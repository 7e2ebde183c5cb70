#pragma once

#include "director/director.h"
#include "director/http_server.h"
#include "director/reloader.h"

namespace director {

/// The control API: what each request does, with JSON both ways.
///
///   GET    /v1/status                                       who is master, how each server fares
///   GET    /v1/events?since=N                               what changed lately after event N, oldest first
///   PUT    /v1/services/SERVICE/servers/SERVER/drain        {"reason": "...", "within_seconds": N}; both may be left
///   out DELETE /v1/services/SERVICE/servers/SERVER/drain PUT    /v1/services/SERVICE/servers/SERVER/weight {"weight":
///   N} DELETE /v1/services/SERVICE/servers/SERVER/weight       the file's again POST   /v1/reload {"yes": true} for
///   what removes much; reads the file again POST   /v1/plan                                         {"file": "/..."}:
///   what a reload of that file would change
///
/// Every refusal is {"error": "a sentence"} with status 400 (the body), 404 (no such thing), 405 (no such verb there),
/// 409 (the file is refused; "found" then lists what is wrong in it, each with a "text") or 500 (the daemon could not
/// do it).
void answer(Director& director, Reloader& reloader, const Request& request, HttpServer::Respond respond);

/// The same for what is answered at once: all but reload and plan.
[[nodiscard]] Response answer(Director& director, const Request& request);

}  // namespace director
