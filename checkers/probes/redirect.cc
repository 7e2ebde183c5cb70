#include "checkers/probes/redirect.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "net/ascii.h"

namespace checkers {
namespace {

constexpr std::size_t location_limit = 2048;

struct Authority {
  std::string host;  ///< in lower case, IPv6 without brackets
  std::uint16_t port = 0;
};

std::uint16_t default_port(bool tls) { return tls ? 443 : 80; }

std::optional<Authority> parse_authority(std::string_view text, bool tls) {
  if (text.empty() || text.contains('@')) return std::nullopt;
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  if (text.starts_with('[') && bracket == std::string_view::npos) return std::nullopt;
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const auto host = bracket == std::string_view::npos ? text.substr(0, colon) : text.substr(1, bracket - 1);
  Authority parsed{.host = net::to_lower(host), .port = default_port(tls)};
  if (colon == std::string_view::npos || colon + 1 == text.size()) return parsed;
  const auto digits = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.port);
  if (error != std::errc() || end != digits.data() + digits.size() || parsed.port == 0) return std::nullopt;
  return parsed;
}

/// A reference without scheme and authority, seen from `base`: "/x", "x", "?x".
std::string resolve_path(std::string_view base, std::string_view reference) {
  if (reference.starts_with('/')) return std::string(reference);
  const auto path = base.substr(0, base.find('?'));
  if (reference.empty()) return std::string(base);
  if (reference.starts_with('?')) return std::string(path) + std::string(reference);
  return std::string(path.substr(0, path.rfind('/') + 1)) + std::string(reference);
}

}  // namespace

std::string authority(const std::string& host, std::uint16_t port, bool tls) {
  const auto name = host.contains(':') ? "[" + host + "]" : host;
  return port == default_port(tls) ? name : fmt::format("{}:{}", name, port);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::expected<Request, std::string> follow(const Request& from, int status, std::string_view location) {
  if (location.size() > location_limit) return std::unexpected("which is too long");
  if (std::ranges::any_of(location, [](char c) { return c <= ' ' || c > '~'; })) {
    return std::unexpected("which is not a valid URL");
  }
  location = location.substr(0, location.find('#'));

  auto next = from;
  const bool keeps_method = status == 307 || status == 308 || from.method == "HEAD";
  if (!keeps_method && (status == 303 || from.method == "POST")) next.method = "GET";
  const auto scheme_end = location.find(':');
  if (scheme_end != std::string_view::npos && location.find_first_of("/?") > scheme_end) {
    const auto scheme = net::to_lower(location.substr(0, scheme_end));
    if (scheme != "http" && scheme != "https") return std::unexpected("which is not an HTTP URL");
    next.tls = scheme == "https";
    location.remove_prefix(scheme_end + 1);
    if (!location.starts_with("//")) return std::unexpected("which is not a valid URL");
  }
  if (!location.starts_with("//")) {
    next.path = resolve_path(from.path, location);
    return next;
  }
  location.remove_prefix(2);
  const auto path = std::min(location.find_first_of("/?"), location.size());
  const auto asked = parse_authority(from.host, from.tls);
  const auto named = parse_authority(location.substr(0, path), next.tls);
  if (!asked || !named) return std::unexpected("which is not a valid URL");
  if (named->host != asked->host) return std::unexpected("which is another host");
  location.remove_prefix(path);
  next.path = location.starts_with('/') ? std::string(location) : "/" + std::string(location);
  next.host = authority(named->host, named->port, next.tls);
  if (next.tls != from.tls || named->port != asked->port) next.target.port = named->port;
  return next;
}

}  // namespace checkers
