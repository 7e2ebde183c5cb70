#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "net/endpoint.h"

/// Where an HTTP redirect leads (RFC 9110 section 15.4, RFC 3986 section 5). Pure.
namespace checkers {

/// One request of a probe.
struct Request {
  bool tls = false;
  net::Endpoint target{};
  std::string host{};  ///< the Host header: a name or an address, and a port unless it is the scheme's own
  std::string path = "/";
  std::string method = "GET";

  bool operator==(const Request&) const = default;
};

/// "www.example.org", "10.0.0.7:8080", "[2001:db8::7]": with the port unless it is the scheme's own (RFC 9110 section
/// 7.2).
[[nodiscard]] std::string authority(const std::string& host, std::uint16_t port, bool tls);

/// 301, 302, 303, 307, 308.
[[nodiscard]] bool is_redirect(int status);

/// The request that a redirect asks for, to the same address: the location must name the host that was asked. The same
/// authority is the same port too, wherever the probe was aimed; another port or scheme is that port. A 303, and a
/// 301 or 302 after a POST, make it a GET. The error is a reason, without a subject: "which is another host".
[[nodiscard]] std::expected<Request, std::string> follow(const Request& from, int status, std::string_view location);

}  // namespace checkers
