#pragma once

#include "director/director.h"
#include "director/http_server.h"

namespace director {

/// The control API: what each request does, with JSON both ways.
///
///   GET    /v1/status                                       who is master, how each server fares
///   GET    /v1/events                                       what changed lately, oldest first
///   PUT    /v1/services/SERVICE/servers/SERVER/drain        {"reason": "..."}; the body may be left out
///   DELETE /v1/services/SERVICE/servers/SERVER/drain
///
/// Every refusal is {"error": "a sentence"} with status 400 (the body), 404 (no such thing), 405 (no such verb there)
/// or 500 (the daemon could not do it).
[[nodiscard]] Response answer(Director& director, const Request& request);

}  // namespace director
