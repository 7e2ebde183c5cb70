#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

namespace net {

/// How far an IPv4 address or route is good for (linux/rtnetlink.h); IPv6 reads it from the address.
enum class Scope : std::uint8_t {
  global = 0,
  site = 200,
  link = 253,
  host = 254,
};

[[nodiscard]] constexpr std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::global:
      return "global";
    case Scope::site:
      return "site";
    case Scope::link:
      return "link";
    case Scope::host:
      return "host";
  }
  std::unreachable();
}

}  // namespace net
