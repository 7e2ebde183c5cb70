#include "checkers/spec.h"

#include <fmt/format.h>

namespace checkers {
namespace {

struct Describe {
  const net::Endpoint& target;

  std::string operator()(const Tcp&) const { return fmt::format("tcp {}", to_string(target)); }
  std::string operator()(const Http& http) const { return fmt::format("http {}{}", to_string(target), http.path); }
};

}  // namespace

std::string to_string(const Key& key) { return std::visit(Describe{key.target}, key.spec.kind); }

}  // namespace checkers
