#include "director/api.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <ranges>
#include <string_view>

namespace director {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t reason_max = 1000;

std::string text(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Response ok(const ordered_json& value) { return {.body = text(value)}; }

Response refuse(unsigned status, std::string_view why) { return {.status = status, .body = text({{"error", why}})}; }

Response wrong_verb(const Request& request) {
  return refuse(405, request.method + " does not go with " + request.path);
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (const auto part : std::views::split(path, '/')) segments.emplace_back(part.begin(), part.end());
  return segments;
}

/// The reason in a drain's body, "" where there is none; nothing if the body is not what it should be.
std::optional<std::string> reason_in(const std::string& body) {
  if (body.empty()) return "";
  const json value = json::parse(body, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  const auto reason = value.find("reason");
  if (reason == value.end()) return "";
  if (!reason->is_string()) return std::nullopt;
  auto text = reason->get<std::string>();
  if (text.size() > reason_max) return std::nullopt;
  return text;
}

Response answer_drain(Director& director, const Request& request, const std::string& service,
                      const std::string& server) {
  net::Result<std::string> done;
  if (request.method == "PUT") {
    const auto reason = reason_in(request.body);
    if (!reason) return refuse(400, "the body is not {\"reason\": \"...\"} with at most 1000 bytes of reason");
    done = director.drain(service, server, *reason);
  } else if (request.method == "DELETE") {
    done = director.undrain(service, server);
  } else {
    return wrong_verb(request);
  }
  // An error without errno is a name that the cluster does not have.
  if (!done) return refuse(done.error().code == 0 ? 404 : 500, done.error().message);
  return ok({{"message", *done}});
}

}  // namespace

Response answer(Director& director, const Request& request) {
  if (request.path == "/v1/status" || request.path == "/v1/events") {
    if (request.method != "GET") return wrong_verb(request);
    return ok(request.path == "/v1/status" ? director.status() : director.events());
  }
  const auto path = segments_of(request.path);  // "", "v1", "services", SERVICE, "servers", SERVER, "drain"
  if (path.size() == 7 && path[1] == "v1" && path[2] == "services" && path[4] == "servers" && path[6] == "drain") {
    return answer_drain(director, request, path[3], path[5]);
  }
  return refuse(404, "there is nothing at " + request.path);
}

}  // namespace director
