#pragma once

#include <functional>
#include <string_view>

#include "director/control/http_server.h"
#include "net/error.h"

namespace director {

class Engine;
class Reloader;
class StatusWriter;
class TableReader;

/// The control API: what each request does, with JSON both ways.
///
///   GET    /v1/status                                  who is master, how each server fares
///   GET    /v1/events?since=N                          what changed lately, after event N, oldest first
///   PUT    /v1/services/SERVICE/servers/SERVER/drain   {"reason": "...", "within_seconds": N}, each if wanted
///   DELETE /v1/services/SERVICE/servers/SERVER/drain
///   PUT    /v1/services/SERVICE/servers/SERVER/weight  {"weight": N, "reason": "...", "for_seconds": N}
///   DELETE /v1/services/SERVICE/servers/SERVER/weight  the file's again
///   GET    /v1/vrrp                                    the virtual routers, in full
///   POST   /v1/vrrp/ROUTER/failover                    {"to": "NODE"}, if wanted
///   POST   /v1/reload                                  the file again; {"yes": true} for what removes much
///   POST   /v1/plan                                    what a reload would change; {"files": [{"name": "/...", "text":
///                                                      "..."}]}: one of that file, whose includes follow it
///   POST   /v1/replace                                 the program on disk takes this one's place
///
/// An order is in force at once. Its answer comes when it would outlive a loss of power, "durable": true, or after a
/// second, "durable": false with a "warning" that says why.
///
/// Every refusal is {"error": "a sentence"} with the status of its RequestError's kind; where the cluster file is
/// refused, "found" lists what is wrong in it, each with a "text".
struct Control {
  Engine& engine;
  Reloader& reloader;
  StatusWriter& status;
  /// Tells when the program on disk is about to take this one's place, or why it does not.
  std::function<void(std::move_only_function<void(net::Result<>)>)> replace;
  TableReader* table = nullptr;  ///< none: the table is in memory, and is read at once
};
void answer(const Control& control, Request request, HttpServer::Respond respond);

/// The same for who may only look: nothing but GET.
void answer_reader(const Control& control, Request request, HttpServer::Respond respond);

/// How long the body of a request for `path` may be; else the answer is 413.
[[nodiscard]] std::size_t body_max(std::string_view path);

/// What is known at once: all but status, reload, plan and replace, and whether an order is durable.
[[nodiscard]] Response answer(Engine& engine, const Request& request);

}  // namespace director
