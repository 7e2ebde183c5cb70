#include "config/keys/router_type.h"

#include "config/keys/check_type.h"
#include "config/keys/resource_type.h"
#include "config/keys/virtual_address_type.h"
#include "config/schema/scalar_or_list.h"
#include "config/schema/values.h"

namespace config {
namespace {

using namespace std::chrono_literals;

/// true, false, or for how long after its start a node preempts nobody.
Type<Preempt> preempt() {
  auto truth = boolean();
  auto delay = duration<std::chrono::milliseconds>(1ms, 1h);
  const Shape shape = {.kind = Shape::Kind::any_of,
                       .expected = truth.shape.expected + ", or " + delay.shape.expected,
                       .of = {truth.shape, delay.shape}};
  auto read = [expected = shape.expected, truth, delay](Reader& reader, const YamlNode& node, Preempt& value) {
    if (node.kind != YamlNode::Kind::scalar) return reader.refuse(node, expected);
    if (node.text == "true" || node.text == "false") return truth.read(reader, node, value.allowed.emplace());
    if (const auto parsed = parse_duration(node.text); parsed && *parsed >= 1ms && *parsed <= 1h) {
      value = {.allowed = true, .after = *parsed};
    } else {
      reader.refuse(node, expected);
    }
  };
  return {.shape = shape, .read = read};
}

Type<Authentication> authentication() {
  using enum vrrp::SigningMode;
  return Object<Authentication>("authentication")
      .key("keys", &Authentication::keys, secret_path(),
           "file, mode 0600, with one key on each line: its number, a space, and 16 characters or more; the first key "
           "signs, all keys are accepted",
           "/etc/directord/vrrp.keys")
      .required()
      .key(
          "mode", &Authentication::mode,
          choice<vrrp::SigningMode>({{"enforce", enforce}, {"permissive", permissive}, {"receive-only", receive_only}}),
          "signing mode: `enforce` signs and accepts only signed advertisements, `permissive` signs and accepts "
          "unsigned ones too, `receive-only` does not sign and accepts both",
          "permissive")
      .type();
}

/// "web below quorum", or a list of them: the services' names.
Type<std::vector<std::string>> give_up_when() {
  static constexpr std::string_view condition = " below quorum";
  auto one = scalar<std::string>({.expected = "SERVICE below quorum", .pattern = "^[^ ]+ below quorum$"},
                                 [](std::string_view text) -> std::expected<std::string, std::string> {
                                   const auto name = text.substr(0, text.find(' '));
                                   if (name.empty() || text.substr(name.size()) != condition)
                                     return std::unexpected("");
                                   return std::string(name);
                                 });
  return scalar_or_list(std::move(one), "conditions", ", or a list of them");
}

Type<Tracker> tracker() {
  return Object<Tracker>("tracker")
      .key("link", &Tracker::link, interface_or_altname(), "interface that must be up", "eth2")
      .when_absent("none")
      .key(
          "check", [](Tracker& tracker) -> checkers::Spec& { return tracker.check.emplace(); }, check_object().type(),
          "check that must pass; needs an `address`, except for `exec` and `file`", "{ icmp: {}, address: 192.0.2.1 }")
      .when_absent("none")
      .one_of({"link", "check"})
      .key("lower", &Tracker::lower, integer<std::uint8_t>(1, 253),
           "priority penalty while the tracker fails; for a failure that may affect all nodes at once; must be larger "
           "than the difference between the nodes' priorities",
           "60")
      .when_absent("none: the node cannot be master")
      .type();
}

}  // namespace

Type<std::map<std::string, std::string>> interfaces(Type<std::string> one) {
  return by_node(std::move(one), ", or a map with one for each node");
}

Type<VirtualRouter> virtual_router_type() {
  return Object<VirtualRouter>("virtual router")
      .key("router_id", &VirtualRouter::router_id, integer<std::uint8_t>(1, 255),
           "VRID (virtual router ID): the same on every node, and unique on the link; with `unicast`, unique on the "
           "node",
           "51")
      .required()
      .key("interface", &VirtualRouter::interfaces, interfaces(interface_or_altname()),
           "interface for advertisements and virtual addresses; a map if it differs between nodes",
           "{ lb1: eth0, lb2: ens3 }")
      .required()
      .key("addresses", &VirtualRouter::addresses,
           list(virtual_address(), "one or more addresses with their prefix lengths", 1),
           "virtual addresses, all of the same address family; a map for an address with a `label` or `scope`",
           "[192.0.2.10/24]")
      .required()
      .key("routes", &VirtualRouter::routes, list(virtual_route(), "routes, each a map"),
           "virtual routes: routes that the master has, together with the virtual addresses",
           "[{ to: default, via: 192.0.2.1, src: 192.0.2.10 }]")
      .when_absent("none")
      .key("mac", &VirtualRouter::virtual_mac, choice<bool>({{"interface", false}, {"virtual", true}}),
           "MAC address of the virtual addresses: that of the interface, or the virtual router MAC address (RFC 9568), "
           "which moves with them",
           "virtual")
      .key("priority", &VirtualRouter::priorities,
           by_node(integer<std::uint8_t>(1, 255), ", or a map of such numbers by node"),
           "VRRP priority of this virtual router, instead of the nodes' own `priority`; a map by node may leave nodes "
           "out. 255: the node owns the addresses (RFC 9568): they are set on it permanently, and directord does not "
           "add or remove them there",
           "{ lb1: 100, lb2: 150 }")
      .when_absent("the `priority` of each node")
      .key("advertise", &VirtualRouter::advertise, duration<std::chrono::milliseconds>(10ms, 40950ms, 10ms),
           "advertisement interval; a backup takes over after about three intervals without an advertisement", "100ms")
      .key("preempt", &VirtualRouter::preempt, preempt(),
           "whether a node with a higher priority takes the virtual addresses back when it returns; a duration is the "
           "preempt delay after its start",
           "30s")
      .when_absent("true; with `connection_sync`, 3s; with `resources`, false")
      .key("ready_within", &VirtualRouter::ready_within, duration<std::chrono::milliseconds>(0ms, 10min),
           "maximum time that a node waits after its start, before it may become master, for its services in the "
           "kernel and a check result of each server",
           "30s")
      .key("unicast", &VirtualRouter::unicast, boolean(),
           "whether advertisements are sent to the other nodes' addresses instead of the multicast group", "true")
      .key("checksum", &VirtualRouter::checksum,
           choice<std::optional<vrrp::Checksum>>(
               {{"auto", std::nullopt}, {"rfc9568", vrrp::Checksum::rfc9568}, {"rfc5798", vrrp::Checksum::rfc5798}}),
           "checksum of the IPv4 advertisements sent: `rfc5798` with a pseudo-header, as keepalived and FRR expect "
           "it; `rfc9568` without; `auto` is rfc5798 until a peer sends the other. Both are accepted from peers",
           "auto")
      .key("version", &VirtualRouter::version, integer<std::uint8_t>(2, 3),
           "VRRP version; 2 (RFC 3768) is for older peers, with IPv4 only and `advertise` in whole seconds", "2")
      .key("password_file", &VirtualRouter::password_file, secret_path(),
           "file, mode 0600, with the simple text password that peers expect; VRRP version 2 only",
           "/etc/directord/vrrp.pass")
      .when_absent("no password")
      .key(
          "authentication", [](VirtualRouter& router) -> Authentication& { return router.authentication.emplace(); },
          authentication(), "signing of advertisements; only directord understands the signatures",
          "{ keys: /etc/directord/vrrp.keys }")
      .when_absent("no signatures")
      .key("give_up_when", &VirtualRouter::give_up_when, give_up_when(),
           "condition for demotion, a service below its quorum: the node is master only if no other node can be",
           "web below quorum")
      .when_absent("never")
      .key("track", &VirtualRouter::trackers, named(tracker()),
           "trackers: links and checks that a master needs; while one fails, the node cannot be master, or its "
           "priority is lower",
           "{ gateway: { check: { icmp: {}, address: 192.0.2.1 }, lower: 60 } }")
      .when_absent("nothing")
      .key("resources", &VirtualRouter::resources, list(resource(), "systemd units, or maps with a `unit` each"),
           "systemd units that run where this virtual router is master, in the order of their start",
           "[apache2.service]")
      .when_absent("none")
      .type();
}

}  // namespace config
