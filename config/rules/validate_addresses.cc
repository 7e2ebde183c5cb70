// Contradictions in what a virtual router puts on its interface: labels and scopes of its addresses, their Ethernet
// address, and its routes.

#include <fmt/format.h>

#include <map>

#include "config/rules/validate.h"

namespace config {
namespace {

/// IFNAMSIZ, without its closing NUL.
constexpr std::size_t longest_label = 15;

class AddressRules {
 public:
  AddressRules(const VirtualRouter& router, const Origin& origin, Diagnostics& diagnostics)
      : router_(router), origin_(origin), diagnostics_(diagnostics) {}

  void addresses() {
    for (std::size_t i = 0; i < router_.addresses.size(); ++i) {
      const auto& [prefix, label, scope] = router_.addresses[i];
      const Origin::Path path = {"vrrp", router_.name, "addresses", std::to_string(i)};
      const auto of_ipv4 = [&](const char* key) {
        if (prefix.address.is_v6())
          error(path, key, fmt::format("of {}: only IPv4 addresses have one", to_string(prefix)));
      };
      if (scope) of_ipv4("scope");
      if (label.empty()) continue;
      of_ipv4("label");
      if (prefix.address.is_v4()) label_fits(path, label);
    }
  }

  void virtual_mac() {
    if (!router_.virtual_mac || !router_.unicast) return;
    error({"vrrp", router_.name}, "mac",
          fmt::format("of virtual router '{}' is virtual, but its advertisements are unicast: switches learn the "
                      "virtual MAC address only from multicast ones",
                      router_.name));
  }

  void routes() {
    if (router_.addresses.empty()) return;
    const auto& first = router_.addresses.front().prefix;
    for (std::size_t i = 0; i < router_.routes.size(); ++i) {
      const auto& route = router_.routes[i].route;
      const Origin::Path path = {"vrrp", router_.name, "routes", std::to_string(i)};
      const auto agrees = [&](const char* key, const net::Address& address) {
        if (address.family() == first.address.family()) return;
        error(path, key,
              fmt::format("of a route of virtual router '{}' is of a different address family than its address {}",
                          router_.name, to_string(first)));
      };
      agrees("to", route.to.address);
      if (route.via) agrees("via", *route.via);
      if (route.source) agrees("src", *route.source);
      if (route.scope && first.address.is_v6()) error(path, "scope", "of an IPv6 route: only IPv4 routes have one");
    }
  }

 private:
  void label_fits(const Origin::Path& path, const std::string& label) {
    for (const auto& [node, interface] : router_.interfaces) {
      if (interface.size() > longest_label) continue;  // an altname: the label begins with the interface's own name
      const auto own = vrrp::virtual_interface(net::Family::ipv4, router_.router_id);
      const auto whole = fmt::format("{}:{}", router_.virtual_mac ? own : interface, label);
      if (whole.size() <= longest_label || !origin_.valid({"vrrp", router_.name, "interface"})) continue;
      return error(path, "label",
                   fmt::format("results in {}, which has {} characters; expected at most {}", in_quotes(whole),
                               whole.size(), longest_label));
    }
  }

  void error(Origin::Path path, const char* key, std::string_view why) {
    path.emplace_back(key);
    if (origin_.valid(path)) diagnostics_.error(origin_.place(path), fmt::format("'{}' {}", key, why));
  }

  const VirtualRouter& router_;
  const Origin& origin_;
  Diagnostics& diagnostics_;
};

/// One node has one interface for a virtual MAC, which is named after its VRID.
void virtual_macs_differ(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  std::map<std::string, const VirtualRouter*> holders;
  for (const auto& router : cluster.virtual_routers) {
    if (!router.virtual_mac || router.addresses.empty()) continue;
    const auto name = vrrp::virtual_interface(router.addresses.front().prefix.address.family(), router.router_id);
    const auto [first, is_new] = holders.emplace(name, &router);
    const Origin::Path path = {"vrrp", router.name, "router_id"};
    const auto& other = first->second->name;
    if (is_new || !origin.valid(path) || !origin.valid({"vrrp", other, "router_id"})) continue;
    const auto place = origin.place(path);
    diagnostics.error(place, fmt::format("virtual routers '{}' and '{}' ({}) have the same virtual MAC address; "
                                         "expected a different router_id for each",
                                         router.name, other, origin.line({"vrrp", other, "router_id"}, place)));
  }
}

}  // namespace

void validate_addresses(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  for (const auto& router : cluster.virtual_routers) {
    AddressRules rules(router, origin, diagnostics);
    rules.addresses();
    rules.virtual_mac();
    rules.routes();
  }
  virtual_macs_differ(cluster, origin, diagnostics);
}

}  // namespace config
