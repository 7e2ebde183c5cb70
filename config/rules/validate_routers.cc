// Contradictions among the nodes, the virtual routers, their groups and the connection synchronisation.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "config/rules/validate.h"
#include "net/time.h"

namespace config {
namespace {

/// On every node.
bool are_on_different_links(const VirtualRouter& a, const VirtualRouter& b) {
  return std::ranges::none_of(a.interfaces, [&](const auto& of_node) {
    const auto other = b.interfaces.find(of_node.first);
    return other != b.interfaces.end() && other->second == of_node.second;
  });
}

class RouterRules {
 public:
  RouterRules(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics)
      : cluster_(cluster), origin_(origin), diagnostics_(diagnostics) {
    for (const auto& node : cluster.nodes) node_names_.push_back(node.name);
  }

  void nodes_have_addresses_of_their_own();
  void nodes_are_given();
  void interfaces_cover_the_nodes();
  void router_ids_are_unique_on_a_link();
  void virtual_addresses();
  void unicast_speaks_the_nodes_family();
  void groups();
  void versions();
  void trackers();
  void conditions();

 private:
  void agrees_with_its_group(std::size_t group, const std::string& name, Place place);
  using Interfaces = std::map<std::string, std::string>;
  void interfaces_cover_the_nodes(const Interfaces& interfaces, Origin::Path path, const std::string& owner);
  void interfaces_lead_to_the_others(const VirtualRouter& router);
  void virtual_address(const VirtualRouter& router, std::size_t index, const net::Address*& first);
  void advertisement_fits(const VirtualRouter& router);

  const Cluster& cluster_;
  const Origin& origin_;
  Diagnostics& diagnostics_;
  std::vector<std::string> node_names_;
  struct Holder {
    const VirtualRouter* router;
    Origin::Path path;
  };
  std::map<net::Address, Holder> virtual_;  ///< who has each virtual address, and where it was written first
};

void RouterRules::nodes_have_addresses_of_their_own() {
  std::map<net::Address, const Node*> holders;
  for (const auto& node : cluster_.nodes) {
    const Origin::Path path = {"nodes", node.name, "address"};
    const auto [first, is_new] = holders.emplace(node.address, &node);
    if (is_new || !origin_.valid(path)) continue;
    const auto place = origin_.place(path);
    const auto& other = first->second->name;
    diagnostics_.error(place, fmt::format("node '{}' has the same address as node '{}' ({})", node.name, other,
                                          origin_.line({"nodes", other, "address"}, place)));
  }
}

void RouterRules::nodes_are_given() {
  if (!cluster_.nodes.empty() || !origin_.valid({"nodes"})) return;
  const auto needed = [&](const char* key) {
    diagnostics_.error(origin_.name_place({key}), fmt::format("'{}' needs 'nodes'", key));
  };
  if (!cluster_.virtual_routers.empty()) return needed("vrrp");
  if (cluster_.connection_sync) return needed("connection_sync");
  if (!cluster_.peers.keys.empty()) return needed("peers");
}

void RouterRules::interfaces_cover_the_nodes() {
  for (const auto& router : cluster_.virtual_routers) {
    interfaces_cover_the_nodes(router.interfaces, {"vrrp", router.name, "interface"},
                               fmt::format("virtual router '{}'", router.name));
    interfaces_lead_to_the_others(router);
    for (std::size_t i = 0; i < router.routes.size(); ++i) {
      const auto& interfaces = router.routes[i].interfaces;
      if (interfaces.empty()) continue;
      interfaces_cover_the_nodes(interfaces, {"vrrp", router.name, "routes", std::to_string(i), "dev"},
                                 fmt::format("a route of virtual router '{}'", router.name));
    }
  }
  if (!cluster_.connection_sync) return;
  interfaces_cover_the_nodes(cluster_.connection_sync->interfaces, {"connection_sync", "interface"}, "connection_sync");
}

void RouterRules::interfaces_cover_the_nodes(const Interfaces& interfaces, Origin::Path path,
                                             const std::string& owner) {
  if (cluster_.nodes.empty() || !origin_.valid(path)) return;
  const std::string key = path.back();
  bool all_known = true;
  for (const auto& [node, interface] : interfaces) {
    if (find_node(cluster_, node) != nullptr) continue;
    all_known = false;
    path.emplace_back(node);
    diagnostics_.error(origin_.name_place(path), fmt::format("unknown node {} in '{}' of {}{}", in_quotes(node), key,
                                                             owner, suggestion(node, node_names_)));
    path.pop_back();
  }
  if (!all_known) return;  // the one that is missing may just be misspelt
  std::vector<std::string> missing;
  for (const auto& node : node_names_) {
    if (!interfaces.contains(node)) missing.push_back(in_quotes(node));
  }
  if (missing.empty()) return;
  diagnostics_.error(origin_.place(path), fmt::format("'{}' of {} has no entry for node{} {}", key, owner,
                                                      missing.size() > 1 ? "s" : "", listed(missing)));
}

void RouterRules::interfaces_lead_to_the_others(const VirtualRouter& router) {
  const Origin::Path path = {"vrrp", router.name, "interface"};
  const auto is_loopback = [](const auto& of_node) { return of_node.second == "lo"; };
  if (cluster_.nodes.size() < 2 || std::ranges::none_of(router.interfaces, is_loopback) || !origin_.valid(path)) return;
  diagnostics_.warning(origin_.place(path),
                       fmt::format("virtual router '{}' is on lo, by which no advertisement reaches another node: it "
                                   "will be in fault; use the interface that connects the nodes",
                                   router.name));
}

void RouterRules::router_ids_are_unique_on_a_link() {
  // RFC 9568 section 1.8: a VRID names a virtual router on its link, for IPv4 and IPv6 separately. Unicast adverts come
  // by any link: those routers share one more, without a name.
  using Link = std::tuple<std::string, std::string, net::Family, std::uint8_t>;
  std::map<Link, const VirtualRouter*> holders;
  for (const auto& router : cluster_.virtual_routers) {
    if (router.addresses.empty()) continue;
    const Origin::Path path = {"vrrp", router.name, "router_id"};
    const auto clash = [&](const std::string& node, const std::string& interface) {
      const Link link = {node, interface, router.addresses.front().prefix.address.family(), router.router_id};
      const auto [first, is_new] = holders.emplace(link, &router);
      const auto& other = first->second->name;
      if (is_new || !origin_.valid(path) || !origin_.valid({"vrrp", router.name, "interface"})) return false;
      const auto place = origin_.place(path);
      const auto where = interface.empty() ? "with unicast" : fmt::format("on interface '{}'", interface);
      diagnostics_.error(
          place,
          fmt::format(
              "router_id {} of virtual router '{}' is already used by '{}' ({}) {}; expected a different one for each",
              router.router_id, router.name, other, origin_.line({"vrrp", other, "router_id"}, place), where));
      return true;
    };
    for (const auto& [node, interface] : router.interfaces) {
      if (clash(node, interface) || (router.unicast && clash(node, ""))) break;
    }
  }
}

void RouterRules::virtual_addresses() {
  for (const auto& router : cluster_.virtual_routers) {
    const net::Address* first = nullptr;
    for (std::size_t i = 0; i < router.addresses.size(); ++i) {
      diagnostics_.go_on();
      virtual_address(router, i, first);
    }
    advertisement_fits(router);
  }
}

/// One advertisement names them all.
void RouterRules::advertisement_fits(const VirtualRouter& router) {
  if (router.addresses.empty()) return;
  const bool is_signed = router.authentication.has_value();
  const auto most = vrrp::most_addresses(router.addresses.front().prefix.address.family(), is_signed);
  const Origin::Path path = {"vrrp", router.name, "addresses"};
  if (router.addresses.size() <= most || !origin_.valid(path)) return;
  diagnostics_.error(origin_.place(path),
                     fmt::format("virtual router '{}' has {} addresses; an advertisement has room for {}{}",
                                 router.name, router.addresses.size(), most, is_signed ? " with its signature" : ""));
}

/// `first` is the first address of the router that could be read, once it is known.
void RouterRules::virtual_address(const VirtualRouter& router, std::size_t index, const net::Address*& first) {
  const Origin::Path path = {"vrrp", router.name, "addresses", std::to_string(index)};
  const auto& address = router.addresses[index].prefix.address;
  if (!origin_.valid(path)) return;
  if (first == nullptr) first = &address;
  const auto place = origin_.place(path);
  const auto error = [&](std::string_view why) {
    diagnostics_.error(place, fmt::format("{} in virtual router '{}' {}", to_string(address), router.name, why));
  };
  if (address.is_any() || address.is_multicast()) return error("is not a unicast address");
  if (first->family() != address.family()) {
    return error(fmt::format("is of a different address family than {}; use one virtual router for each family",
                             to_string(*first)));
  }
  for (const auto& node : cluster_.nodes) {
    if (node.address != address || !origin_.valid({"nodes", node.name, "address"})) continue;
    return error(fmt::format("is the address of node '{}' ({}); expected an address that no node has", node.name,
                             origin_.line({"nodes", node.name, "address"}, place)));
  }
  const auto [before, is_new] = virtual_.emplace(address, Holder{.router = &router, .path = path});
  // A link-local address is one on each link: fe80::1 may be the gateway of every VLAN.
  if (is_new || (address.is_link_local() && are_on_different_links(router, *before->second.router))) return;
  error(fmt::format("is already used ({})", origin_.line(before->second.path, place)));
}

void RouterRules::unicast_speaks_the_nodes_family() {
  for (const auto& router : cluster_.virtual_routers) {
    if (!router.unicast || router.addresses.empty()) continue;
    if (!origin_.valid({"vrrp", router.name, "addresses", "0"})) continue;
    const auto family = router.addresses.front().prefix.address.family();
    for (const auto& node : cluster_.nodes) {
      if (node.address.family() == family || !origin_.valid({"nodes", node.name, "address"})) continue;
      const auto place = origin_.place({"vrrp", router.name, "unicast"});
      diagnostics_.error(
          place, fmt::format("virtual router '{}' cannot send unicast advertisements to {} ({}), the address of node "
                             "'{}': its virtual addresses are of a different address family",
                             router.name, to_string(node.address), origin_.line({"nodes", node.name, "address"}, place),
                             node.name));
      break;
    }
  }
}

void RouterRules::groups() {
  std::vector<std::string> known;
  for (const auto& router : cluster_.virtual_routers) known.push_back(router.name);
  std::map<std::string, Origin::Path> seen;
  for (std::size_t g = 0; g < cluster_.groups.size(); ++g) {
    for (std::size_t i = 0; i < cluster_.groups[g].size(); ++i) {
      diagnostics_.go_on();
      const Origin::Path path = {"groups", std::to_string(g), std::to_string(i)};
      if (!origin_.valid(path)) continue;
      const auto& name = cluster_.groups[g][i];
      const auto place = origin_.place(path);
      const auto [before, is_new] = seen.emplace(name, path);
      if (std::ranges::find(known, name) == known.end()) {
        diagnostics_.error(
            place, fmt::format("unknown virtual router {} in 'groups'{}", in_quotes(name), suggestion(name, known)));
      } else if (!is_new) {
        diagnostics_.error(place, fmt::format("virtual router '{}' is already in a group ({})", name,
                                              origin_.line(before->second, place)));
      } else {
        agrees_with_its_group(g, name, place);
      }
    }
  }
}

/// A group has one timer and one role, so its members need the same interval, preemption, version and priorities.
void RouterRules::agrees_with_its_group(std::size_t group, const std::string& name, Place place) {
  const auto find = [&](const std::string& wanted) {
    return std::ranges::find(cluster_.virtual_routers, wanted, &VirtualRouter::name);
  };
  const auto first = find(cluster_.groups[group].front());
  const auto router = find(name);
  if (first == cluster_.virtual_routers.end()) return;
  const auto differ = [&](const char* key, const std::string& where = "") {
    diagnostics_.error(place, fmt::format("virtual routers '{}' and '{}' are in the same group but differ in '{}'{}; "
                                          "expected the same value for both",
                                          first->name, name, key, where));
  };
  if (router->advertise != first->advertise) return differ("advertise");
  if (router->preempt != first->preempt) return differ("preempt");
  if (router->version != first->version) return differ("version");
  if (!priorities_are_read(cluster_, *first, origin_) || !priorities_are_read(cluster_, *router, origin_)) return;
  for (const auto& node : cluster_.nodes) {
    const auto of_first = priority_of(*first, node), of_router = priority_of(*router, node);
    if (of_router != of_first)
      return differ("priority", fmt::format(" on node '{}' ({} and {})", node.name, of_first, of_router));
  }
}

void RouterRules::versions() {
  for (const auto& router : cluster_.virtual_routers) {
    const auto error = [&](const char* key, std::string_view why) {
      const Origin::Path path = {"vrrp", router.name, key};
      if (origin_.valid(path)) {
        diagnostics_.error(origin_.place(path), fmt::format("virtual router '{}' {}", router.name, why));
      }
    };
    if (router.version == 3) {
      if (!router.password_file.empty()) error("password_file", "has 'password_file', which needs 'version: 2'");
      continue;
    }
    if (router.authentication) error("authentication", "has 'authentication', which VRRP version 2 does not support");
    if (router.advertise % std::chrono::seconds(1) != std::chrono::milliseconds(0)) {
      error("advertise", "has VRRP version 2, which needs 'advertise' in whole seconds");
    }
    if (!router.addresses.empty() && router.addresses.front().prefix.address.is_v6()) {
      error("version", "has IPv6 addresses, which VRRP version 2 does not support");
    }
  }
}

void RouterRules::trackers() {
  for (const auto& router : cluster_.virtual_routers) {
    for (const auto& tracker : router.trackers) {
      const Origin::Path path = {"vrrp", router.name, "track", tracker.name, "check"};
      if (!tracker.check || !origin_.valid(path)) continue;
      const auto& kind = tracker.check->kind;
      const bool local = std::holds_alternative<checkers::Exec>(kind) || std::holds_alternative<checkers::File>(kind);
      const auto error = [&](std::string_view why) {
        diagnostics_.error(origin_.place(path), fmt::format("the check of tracker '{}' {}", tracker.name, why));
      };
      if (!local && !tracker.check->address) error("needs an 'address'");
      if (tracker.check->timeout >= tracker.check->interval) {
        error(fmt::format("has a timeout of {} and an interval of {}; expected a shorter timeout",
                          net::to_string(net::Duration(tracker.check->timeout)),
                          net::to_string(net::Duration(tracker.check->interval))));
      }
    }
  }
}

void RouterRules::conditions() {
  std::vector<std::string> known;
  for (const auto& service : cluster_.services) known.push_back(service.name);
  for (const auto& router : cluster_.virtual_routers) {
    for (const auto& service : router.give_up_when) {
      diagnostics_.go_on();
      const Origin::Path path = {"vrrp", router.name, "give_up_when"};
      if (std::ranges::find(known, service) != known.end() || !origin_.valid(path) || !origin_.valid({"services"})) {
        continue;
      }
      diagnostics_.error(origin_.place(path), fmt::format("unknown service {} in 'give_up_when'{}", in_quotes(service),
                                                          suggestion(service, known)));
    }
  }
}

}  // namespace

void validate_routers(const Cluster& cluster, const Origin& origin, Diagnostics& diagnostics) {
  RouterRules rules(cluster, origin, diagnostics);
  rules.nodes_are_given();
  rules.nodes_have_addresses_of_their_own();
  rules.interfaces_cover_the_nodes();
  rules.router_ids_are_unique_on_a_link();
  rules.virtual_addresses();
  rules.unicast_speaks_the_nodes_family();
  rules.groups();
  rules.versions();
  rules.trackers();
  rules.conditions();
}

}  // namespace config
