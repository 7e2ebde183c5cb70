#include "net/endpoint.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <charconv>

namespace net {

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);

  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = Address::parse(host);
  if (!address || address->is_v6() != bracketed) return std::nullopt;

  Endpoint endpoint{.address = *address, .port = 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), endpoint.port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return endpoint;
}

std::string to_string(const Endpoint& endpoint) {
  const auto address = to_string(endpoint.address);
  return endpoint.address.is_v6() ? fmt::format(FMT_COMPILE("[{}]:{}"), address, endpoint.port)
                                  : fmt::format(FMT_COMPILE("{}:{}"), address, endpoint.port);
}

}  // namespace net
