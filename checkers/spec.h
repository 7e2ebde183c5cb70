#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <variant>

#include "net/endpoint.h"

/// What the cluster file says about a check; plain values that probes and the scheduler read.
namespace checkers {

/// The connection is made and closed again.
struct Tcp {
  auto operator<=>(const Tcp&) const = default;
};

/// GET over HTTP/1.1: passes when the answer's status is an expected one (RFC 9110, RFC 9112).
struct Http {
  std::string path = "/";                  ///< request target, begins with '/'
  std::string host{};                      ///< Host header; empty = the target's address
  std::set<std::uint16_t> status = {200};  ///< 100..599, never empty

  auto operator<=>(const Http&) const = default;
};

using Kind = std::variant<Tcp, Http>;

/// How many consecutive results against the current state change it; both at least 1.
struct Thresholds {
  int rise = 2;
  int fall = 3;

  auto operator<=>(const Thresholds&) const = default;
};

/// One check, wherever it is aimed.
struct Spec {
  Kind kind = Tcp{};
  std::chrono::milliseconds interval{2000};  ///< from one probe's start to the next's
  std::chrono::milliseconds timeout{1000};   ///< hard deadline over the whole probe; below `interval`
  Thresholds thresholds{};

  auto operator<=>(const Spec&) const = default;
};

/// What names a check: services that ask the same of the same target share one.
struct Key {
  net::Endpoint target;
  Spec spec;

  auto operator<=>(const Key&) const = default;
};

/// "http 192.168.200.11:80/health", "tcp [2001:db8::7]:25".
[[nodiscard]] std::string to_string(const Key& key);

}  // namespace checkers
