#include "checkers/spec.h"

#include <fmt/format.h>

#include <functional>
#include <string_view>

namespace checkers {
namespace {

struct Name {
  std::string_view operator()(const Tcp& tcp) const { return tcp.tls && tcp.script.empty() ? "tls" : "tcp"; }
  std::string_view operator()(const Http& http) const { return http.tls ? "https" : "http"; }
  std::string_view operator()(const Udp&) const { return "udp"; }
  std::string_view operator()(const Dns&) const { return "dns"; }
  std::string_view operator()(const Icmp&) const { return "icmp"; }
  std::string_view operator()(const Smtp&) const { return "smtp"; }
  std::string_view operator()(const Exec&) const { return "exec"; }
  std::string_view operator()(const Agent&) const { return "agent"; }
  std::string_view operator()(const File&) const { return "file"; }
};

/// What follows the kind and the target, where the kind asks for something in particular.
struct Detail {
  std::string operator()(const Http& http) const { return http.path; }
  std::string operator()(const Dns& dns) const { return " " + dns.name; }
  std::string operator()(const Exec& exec) const { return exec.command.empty() ? "" : " " + exec.command.front(); }
  std::string operator()(const File& file) const { return " " + file.path; }
  std::string operator()(const auto&) const { return {}; }
};

}  // namespace

std::size_t hash_of(const net::Endpoint& target, std::uint32_t mark) {
  const auto bytes = target.address.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::hash<std::string_view>{}(text) ^ ((std::size_t{target.port} << 32) * 0x9e3779b97f4a7c15) ^
         (std::size_t{mark} * 0xff51afd7ed558ccd);
}

Key make_key(const Spec& spec, const net::Endpoint& server) {
  Key key{
      .target = {.address = spec.address.value_or(server.address), .port = spec.port != 0 ? spec.port : server.port},
      .spec = spec};
  key.spec.address.reset();
  key.spec.port = 0;
  return key;
}

std::string_view name_of(const Kind& kind) { return std::visit(Name{}, kind); }

std::string to_string(const Key& key) {
  const bool portless = std::holds_alternative<Icmp>(key.spec.kind);
  return fmt::format("{} {}{}{}", name_of(key.spec.kind),
                     portless ? to_string(key.target.address) : to_string(key.target),
                     std::visit(Detail{}, key.spec.kind), key.mark != 0 ? fmt::format(" mark {}", key.mark) : "");
}

}  // namespace checkers
