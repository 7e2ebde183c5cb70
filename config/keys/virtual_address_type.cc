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
      .key("address", &VirtualAddress::prefix, prefix(), "the address with its prefix length", "192.0.2.10/24")
      .required()
      .key("label", &VirtualAddress::label, name("a name"),
           "of IPv4: listed as INTERFACE:LABEL by `ip address` and `ifconfig`", "web")
      .when_absent("none")
      .key(
          "scope", [](VirtualAddress& address) -> net::Scope& { return address.scope.emplace(); }, scope(),
          "of IPv4: how far the address is good for as a source; the addresses of one network have one scope", "link")
      .when_absent("global; of 169.254.0.0/16 link")
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
      .key("to", part(&VirtualRoute::to), destination(), "where it leads", "default")
      .required()
      .key(
          "via", [](config::VirtualRoute& route) -> net::Address& { return route.route.via.emplace(); }, address(),
          "the next router on the way", "192.0.2.1")
      .when_absent("none: it leads to the link itself")
      .key("dev", &config::VirtualRoute::interfaces, interfaces(), "the interface; a map where the nodes' differ",
           "eth1")
      .when_absent("the one that holds the virtual addresses")
      .key(
          "src", [](config::VirtualRoute& route) -> net::Address& { return route.route.source.emplace(); }, address(),
          "the address that this host's own packets along it come from", "192.0.2.10")
      .when_absent("the kernel's choice")
      .key("table", part(&VirtualRoute::table), integer<std::uint32_t>(1), "the routing table; 254 is `main`", "100")
      .key("metric", part(&VirtualRoute::metric), integer<std::uint32_t>(1),
           "of two routes to one network the lower one counts", "10")
      .when_absent("IPv4: 0; IPv6: 1024")
      .key(
          "scope", [](config::VirtualRoute& route) -> net::Scope& { return route.route.scope.emplace(); }, scope(),
          "of IPv4", "link")
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
