#include "vrrp/spec.h"

#include <fmt/format.h>

namespace vrrp {

std::string to_string(const VirtualRoute& route) {
  std::string text = route.to.length == 0 ? "default" : net::to_string(route.to);
  if (route.via) text += fmt::format(" via {}", net::to_string(*route.via));
  if (!route.interface.empty()) text += fmt::format(" dev {}", route.interface);
  if (route.source) text += fmt::format(" src {}", net::to_string(*route.source));
  if (route.table != VirtualRoute{}.table) text += fmt::format(" table {}", route.table);
  if (route.metric != 0) text += fmt::format(" metric {}", route.metric);
  if (route.scope) text += fmt::format(" scope {}", to_string(*route.scope));
  return text;
}

}  // namespace vrrp
