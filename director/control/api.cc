#include "director/control/api.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <ranges>
#include <string_view>

#include "director/control/status.h"
#include "director/control/status_writer.h"
#include "director/engine/change_json.h"
#include "director/engine/engine.h"
#include "director/engine/reloader.h"
#include "director/engine/sent_files.h"
#include "director/engine/table_reader.h"

namespace director {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t reason_max = 1000;
constexpr std::size_t small_body_max = std::size_t{64} << 10;
constexpr std::size_t files_max = std::size_t{16} << 20;
constexpr std::uint64_t seconds_max = 30 * 86'400;  // a month of seconds
constexpr std::uint64_t weight_max = 65535;

std::string text(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Response ok(const ordered_json& value) { return {.body = text(value)}; }

using enum RequestError::Kind;

Response refuse(RequestError::Kind kind, std::string_view why) {
  return {.status = http_status(kind), .body = text({{"error", why}})};
}

Response wrong_verb(const Request& request) {
  return refuse(wrong_method, request.method + ": method not allowed for " + request.path);
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (const auto part : std::views::split(path, '/')) segments.emplace_back(part.begin(), part.end());
  return segments;
}

/// A body that is an object or nothing at all; nothing if it is anything else.
std::optional<json> object_in(const std::string& body) {
  if (body.empty()) return json::object();
  json value = json::parse(body, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

/// "" where there is none; nothing where it is no text, or too long.
std::optional<std::string> reason_in(const json& body) {
  const auto found = body.find("reason");
  if (found == body.end()) return "";
  if (!found->is_string() || found->get_ref<const std::string&>().size() > reason_max) return std::nullopt;
  return found->get<std::string>();
}

/// The inner one is nothing where it is not there, the outer one where it is no number of seconds, or too large.
std::optional<std::optional<std::chrono::seconds>> seconds_in(const json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end()) return std::optional<std::chrono::seconds>();
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > seconds_max) return std::nullopt;
  return std::chrono::seconds(found->get<std::uint32_t>());
}

Response outcome_of(const RequestResult<std::string>& done) {
  if (!done) return refuse(done.error().kind, done.error().message);
  return ok({{"message", *done}});
}

/// The same of what may have taken the last server of `service` out: the answer warns of that.
Response outcome_of(const Engine& engine, const RequestResult<std::string>& done, const std::string& service) {
  const auto warning = done ? engine.order_warning(service) : "";
  return warning.empty() ? outcome_of(done) : ok({{"message", *done}, {"warning", warning}});
}

Response answer_drain(Engine& engine, const Request& request, const std::string& service, const std::string& server) {
  if (request.method == "DELETE") return outcome_of(engine.overrides().undrain(service, server, request.user));
  if (request.method != "PUT") return wrong_verb(request);
  const auto body = object_in(request.body);
  const auto refused = [] {
    return refuse(invalid,
                  "invalid body: expected {\"reason\": \"...\", \"within_seconds\": N}, reason at most 1000 bytes");
  };
  if (!body) return refused();
  const auto reason = reason_in(*body);
  const auto within = seconds_in(*body, "within_seconds");
  if (!reason || !within) return refused();
  return outcome_of(engine, engine.overrides().drain(service, server, *reason, *within, request.user), service);
}

Response answer_weight(Engine& engine, const Request& request, const std::string& service, const std::string& server) {
  if (request.method == "DELETE")
    return outcome_of(engine.overrides().set_weight(service, server, std::nullopt, "", {}, request.user));
  if (request.method != "PUT") return wrong_verb(request);
  const auto body = object_in(request.body);
  const auto weight = body ? body->value("weight", json()) : json();
  if (!weight.is_number_unsigned() || weight.get<std::uint64_t>() > weight_max) {
    return refuse(invalid, "invalid body: expected {\"weight\": N}, N from 0 to 65535");
  }
  const auto reason = reason_in(*body);
  const auto time = seconds_in(*body, "for_seconds");
  if (!reason || !time || (*time && (*time)->count() == 0)) {
    return refuse(invalid,
                  "invalid body: expected {\"weight\": N, \"reason\": \"...\", \"for_seconds\": N}, reason at most "
                  "1000 bytes, for_seconds at least 1");
  }
  return outcome_of(
      engine, engine.overrides().set_weight(service, server, weight.get<std::uint32_t>(), *reason, *time, request.user),
      service);
}

Response answer_failover(Engine& engine, const Request& request, const std::string& router) {
  if (request.method != "POST") return wrong_verb(request);
  const auto body = object_in(request.body);
  const auto to = body ? body->value("to", json("")) : json();
  if (!to.is_string()) return refuse(invalid, "invalid body: expected {\"to\": \"NODE\"}");
  const auto node = to.get<std::string>();
  return outcome_of(engine.hand_over(router, node.empty() ? std::nullopt : std::optional(node)));
}

Response answer_events(Engine& engine, const Request& request) {
  std::uint64_t since = 0;
  if (const auto found = request.query.find("since"); found != request.query.end()) {
    const auto& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
    if (error != std::errc{} || end != text.data() + text.size())
      return refuse(invalid, "invalid query: expected since=N, N the number of an event");
  }
  return ok(events_status(engine, since));
}

Response to_response(const Engine& engine, const std::expected<Reloader::Outcome, Refused>& done) {
  if (!done) {
    return {.status = http_status(done.error().kind),
            .body = text({{"error", done.error().why}, {"found", to_json(done.error().found)}})};
  }
  return ok(to_json(done->change, connections_of(engine, done->change), done->warnings));
}

Reloader::Done answering(const Engine& engine, HttpServer::Respond respond) {
  return [&engine, respond = std::move(respond)](auto done) mutable { respond(to_response(engine, done)); };
}

void answer_reload(Engine& engine, Reloader& reloader, const Request& request, HttpServer::Respond respond) {
  const auto body = object_in(request.body);
  const auto yes = body ? body->value("yes", json(false)) : json();
  if (!yes.is_boolean()) return respond(refuse(invalid, "invalid body: expected {\"yes\": true}"));
  reloader.reload(yes.get<bool>(), "the control socket", answering(engine, std::move(respond)));
}

void answer_plan(Engine& engine, Reloader& reloader, Request request, HttpServer::Respond respond) {
  const bool is_large = request.body.size() > small_body_max;  // too much to look at on the loop
  const auto body = is_large ? json::object() : object_in(request.body);
  auto answer = answering(engine, std::move(respond));
  const auto refused = [&answer](RequestError::Kind kind, std::string why) {
    answer(std::unexpected(Refused{.why = std::move(why), .kind = kind}));
  };
  if (is_large || (body && body->contains("files"))) {
    return reloader.plan([body = std::move(request.body)] { return sent_files(body); }, std::move(answer));
  }
  const auto file = body ? body->value("file", json("")) : json();
  const auto* path = file.get_ptr<const std::string*>();
  if (path == nullptr || (!path->empty() && !path->starts_with('/'))) {
    return refused(invalid, "invalid body: expected {\"file\": \"/...\"}, an absolute path, or {\"files\": [...]}");
  }
  if (!path->empty() && !reloader.is_own_file(*path)) {
    return refused(forbidden,
                   "directord reads no file but its own, " + reloader.own_file() +
                       ": to plan another one, send its text in \"files\", as directorctl does from version 0.2.0 on");
  }
  reloader.plan(std::move(answer));
}

void answer_status(const Control& control, const Request& request, HttpServer::Respond respond) {
  if (request.method != "GET") return respond(wrong_verb(request));
  auto write = [&writer = control.status, respond = std::move(respond)](StatusWriter::Table table) mutable {
    writer.write(std::move(table), [respond = std::move(respond)](std::shared_ptr<const std::string> status) mutable {
      respond({.body = {}, .shared = std::move(status)});
    });
  };
  if (control.table == nullptr) {
    return write(std::make_shared<const net::Result<ipvs::Snapshot>>(control.engine.kernel().list()));
  }
  control.table->read(std::move(write));
}

/// `response` to an order that is in force, with whether it would outlive a loss of power: `why_not` is a sentence.
Response with_durability(const Response& response, const std::string& why_not) {
  auto value = ordered_json::parse(response.body);
  value["durable"] = why_not.empty();
  if (!why_not.empty()) {
    const auto other = value.value("warning", "");
    value["warning"] = (other.empty() ? "" : other + "; ") + why_not;
  }
  return ok(value);
}

/// The same, with which directors have the order.
void respond_with_holders(Engine& engine, Response response, HttpServer::Respond respond) {
  engine.sharing().when_held(
      [respond = std::move(respond), response = std::move(response)](const std::string& who) mutable {
        if (who.empty()) return respond(std::move(response));
        auto value = ordered_json::parse(response.body);
        value["held"] = who;
        respond(ok(value));
      });
}

/// An order is in force at once, and answered when the disk and the other directors have it, or have not for too long.
void answer_order(Engine& engine, const Request& request, HttpServer::Respond respond) {
  auto response = answer(engine, request);
  if (response.status != 200) return respond(std::move(response));
  if (!engine.store().has_disk()) return respond(with_durability(response, "this is a dry run: nothing is saved"));
  engine.sharing().pump();
  engine.store().when_durable(
      [&engine, respond = std::move(respond), response = std::move(response)](const std::string& why_not) mutable {
        const std::string prefix = why_not.empty() ? "" : "in force, but not saved to disk yet: ";
        respond_with_holders(engine, with_durability(response, prefix + why_not), std::move(respond));
      });
}

}  // namespace

std::size_t body_max(std::string_view path) { return path == "/v1/plan" ? files_max : small_body_max; }

Response answer(Engine& engine, const Request& request) {
  if (request.path == "/v1/events" || request.path == "/v1/vrrp") {
    if (request.method != "GET") return wrong_verb(request);
    return request.path == "/v1/vrrp" ? ok(vrrp_status(engine)) : answer_events(engine, request);
  }
  const auto path = segments_of(request.path);  // "", "v1", "services", SERVICE, "servers", SERVER, "drain"
  if (path.size() == 7 && path[1] == "v1" && path[2] == "services" && path[4] == "servers") {
    if (path[6] == "drain") return answer_drain(engine, request, path[3], path[5]);
    if (path[6] == "weight") return answer_weight(engine, request, path[3], path[5]);
  }
  if (path.size() == 5 && path[1] == "v1" && path[2] == "vrrp" && path[4] == "failover") {
    return answer_failover(engine, request, path[3]);
  }
  return refuse(not_found, "no such resource: " + request.path);
}

void answer_reader(const Control& control, Request request, HttpServer::Respond respond) {
  if (request.method == "GET") return answer(control, std::move(request), std::move(respond));
  respond(refuse(forbidden, "this socket is read-only; use the control socket"));
}

void answer(const Control& control, Request request, HttpServer::Respond respond) {
  if (request.path == "/v1/status") return answer_status(control, request, std::move(respond));
  const bool known = request.path == "/v1/reload" || request.path == "/v1/plan" || request.path == "/v1/replace";
  if (!known && (request.method == "PUT" || request.method == "DELETE"))
    return answer_order(control.engine, request, std::move(respond));
  if (!known) return respond(answer(control.engine, request));
  if (request.method != "POST") return respond(wrong_verb(request));
  if (request.path == "/v1/reload") return answer_reload(control.engine, control.reloader, request, std::move(respond));
  if (request.path == "/v1/plan")
    return answer_plan(control.engine, control.reloader, std::move(request), std::move(respond));
  control.replace([respond = std::move(respond)](net::Result<> done) mutable {
    if (!done) return respond(refuse(conflict, done.error().message));
    respond(ok({{"message", "the program on disk accepts the cluster file and replaces the running process now"}}));
  });
}

}  // namespace director
