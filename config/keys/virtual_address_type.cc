#include "config/keys/virtual_address_type.h"

#include "config/keys/router_type.h"
#include "config/schema/values.h"

namespace config {
namespace {

Type<net::Scope> scope() {
  using enum net::Scope;
  return choice<net::Scope>({{"global", global}, {"site", site}, {"link", link}, {"host", host}});
}

/// A network, or the default route.
Type<net::Prefix> destination() {
  return scalar<net::Prefix>(
      {.expected = "a network such as 10.0.0.0/8, or default", .pattern = "^(default|.+/[0-9]+)$"},
      [](std::string_view text) -> std::expected<net::Prefix, std::string> {
        if (text == "default") return net::Prefix{.address = {}, .length = 0};
        const auto parsed = net::Prefix::parse(text);
        if (!parsed || !text.contains('/')) return std::unexpected("");
        if (parsed->length == 0) return std::unexpected("; write default");
        const auto network = parsed->network();
        if (network == *parsed) return network;
        return std::unexpected(fmt::format("; did you mean {}?", to_string(network)));
      });
}

Type<vrrp::VirtualAddress> address_object() {
  using vrrp::VirtualAddress;
  return Object<VirtualAddress>("virtual address")
      .key("address", &VirtualAddress::prefix, prefix(), "virtual address with its prefix length", "192.0.2.10/24")
      .required()
      .key("label", &VirtualAddress::label, name("a name"),
           "label of an IPv4 address, shown as INTERFACE:LABEL by `ip address` and `ifconfig`", "web")
      .when_absent("none")
      .key(
          "scope", [](VirtualAddress& address) -> net::Scope& { return address.scope.emplace(); }, scope(),
          "scope of an IPv4 address, as in `ip address`; the same for all addresses of one network", "link")
      .when_absent("global; for 169.254.0.0/16 link")
      .type();
}

}  // namespace

Type<vrrp::VirtualAddress> virtual_address() {
  auto plain = prefix();
  auto object = address_object();
  const Shape shape = {
      .kind = Shape::Kind::any_of, .expected = plain.shape.expected + ", or a map", .of = {plain.shape, object.shape}};
  auto read = [plain = plain.read, object = object.read](Reader& reader, const YamlNode& node,
                                                         vrrp::VirtualAddress& value) {
    if (node.kind == YamlNode::Kind::map) return object(reader, node, value);
    plain(reader, node, value.prefix);
  };
  return {.shape = shape, .read = read};
}

Type<VirtualRoute> virtual_route() {
  const auto part = [](auto member) {
    return [member](VirtualRoute& route) -> auto& { return std::invoke(member, route.route); };
  };
  using vrrp::VirtualRoute;
  return Object<config::VirtualRoute>("route")
      .key("to", part(&VirtualRoute::to), destination(), "destination of the route", "default")
      .required()
      .key(
          "via", [](config::VirtualRoute& route) -> net::Address& { return route.route.via.emplace(); }, address(),
          "next hop (gateway)", "192.0.2.1")
      .when_absent("none: the destination is on the link")
      .key("dev", &config::VirtualRoute::interfaces, interfaces(interface_or_altname()),
           "outgoing interface; a map if it differs between nodes", "eth1")
      .when_absent("the interface of the virtual addresses")
      .key(
          "src", [](config::VirtualRoute& route) -> net::Address& { return route.route.source.emplace(); }, address(),
          "preferred source address of packets that this host sends by the route", "192.0.2.10")
      .when_absent("the kernel's choice")
      .key("table", part(&VirtualRoute::table), integer<std::uint32_t>(1), "the routing table; 254 is `main`", "100")
      .key("metric", part(&VirtualRoute::metric), integer<std::uint32_t>(1),
           "metric of the route; the kernel prefers the lowest", "10")
      .when_absent("IPv4: 0; IPv6: 1024")
      .key(
          "scope", [](config::VirtualRoute& route) -> net::Scope& { return route.route.scope.emplace(); }, scope(),
          "scope of an IPv4 route", "link")
      .when_absent("global with `via`, else link")
      .type();
}

void complete_routes(VirtualRouter& router) {
  if (router.addresses.empty()) return;
  const auto family = router.addresses.front().prefix.address.family();
  for (auto& [route, interfaces] : router.routes) {
    if (route.to.length == 0) route.to.address = net::Address::any(family);
  }
}

}  // namespace config
