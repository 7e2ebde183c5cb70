#include "checkers/http.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace checkers {

HttpConversation::HttpConversation(const net::Endpoint& target, const Http& spec) : target_(target), spec_(spec) {}

std::optional<Result> HttpConversation::begin(std::string& out) {
  // RFC 9110 section 7.2: the port is left out where it is the scheme's own.
  auto host = to_string(target_);
  if (target_.port == 80) host.resize(host.size() - 3);
  fmt::format_to(std::back_inserter(out),
                 "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: directord/" DIRECTORD_VERSION
                 "\r\nAccept: */*\r\nConnection: close\r\n\r\n",
                 spec_.path, spec_.host.empty() ? host : spec_.host);
  return std::nullopt;
}

std::optional<Result> HttpConversation::receive(std::string_view bytes, std::string&) {
  std::string body;
  if (response_.feed(bytes, body) == HttpResponse::State::malformed) return malformed();
  if (!response_.head_complete()) return std::nullopt;

  const auto status = response_.status();
  if (spec_.status.contains(static_cast<std::uint16_t>(status))) {
    return Result{.outcome = Outcome::passed, .sentence = fmt::format("{}: status {}", doing(), status)};
  }
  return Result{.outcome = Outcome::failed,
                .sentence = fmt::format("{}: status {}, expected {}", doing(), status, fmt::join(spec_.status, ", "))};
}

Result HttpConversation::closed() {
  response_.close();
  return malformed();
}

std::string HttpConversation::doing() const { return fmt::format("GET http://{}{}", to_string(target_), spec_.path); }

Result HttpConversation::malformed() const {
  return {.outcome = Outcome::failed, .sentence = fmt::format("{}: {}", doing(), response_.error())};
}

}  // namespace checkers
