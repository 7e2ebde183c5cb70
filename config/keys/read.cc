#include "config/keys/read.h"

#include <algorithm>

#include "config/keys/check_type.h"
#include "config/keys/router_type.h"
#include "config/keys/service_type.h"
#include "config/keys/virtual_address_type.h"
#include "config/schema/scalar_or_list.h"
#include "config/schema/values.h"

namespace config {
namespace {

using namespace std::chrono_literals;

Type<Node> node_type() {
  return Object<Node>("node")
      .key("address", &Node::address, address(), "address at which the other directors reach this node", "192.0.2.11")
      .required()
      .key("priority", &Node::priority, integer<std::uint8_t>(1, 254),
           "VRRP priority, where the virtual router has none of its own; the running node with the highest priority is "
           "master",
           "150")
      .type();
}

Type<ConnectionSync> connection_sync_type() {
  return Object<ConnectionSync>("connection_sync")
      .key("interface", &ConnectionSync::interfaces, interfaces(interface_name()),
           "interface of the kernel's sync daemons; a map if it differs between nodes", "eth1")
      .required()
      .key("id", &ConnectionSync::id, integer<std::uint8_t>(0, 255), "sync ID (syncid), the same on every node", "1")
      .type();
}

Type<Peers> peers_type() {
  return Object<Peers>("peers")
      .key("keys", &Peers::keys, secret_path(),
           "file, mode 0600, with one key on each line: its number, a space, and 16 characters or more; the first key "
           "begins connections, all keys are accepted",
           "/etc/directord/peers.keys")
      .when_absent(
          "the keys of the first virtual router that signs; if none does, orders stay on the node that was told")
      .key("port", &Peers::port, integer<std::uint16_t>(1, 65535), "TCP port at each node's address", "8406")
      .type();
}

Type<Director> director_type() {
  using enum Director::Ownership;
  using enum Director::OnStop;
  return Object<Director>("director")
      .key("ownership", &Director::ownership, choice<Director::Ownership>({{"named", named}, {"exclusive", exclusive}}),
           "treatment of services in the kernel that the cluster file does not name: `named` leaves them alone, "
           "`exclusive` drains and removes them",
           "exclusive")
      .key("on_stop", &Director::on_stop, choice<Director::OnStop>({{"keep", keep}, {"clear", clear}}),
           "treatment of the kernel's IPVS table when directord stops: `keep` leaves it in place, `clear` removes "
           "directord's services and their connections",
           "clear")
      .key("reload_guard", &Director::reload_guard, integer<std::uint8_t>(0, 100),
           "maximum percentage of the services or servers that a reload may remove without `--yes`", "20")
      .key("operators", &Director::operators, name("a group's name"),
           "group whose members may query and control directord through `control.sock`; this host must have it", "ops")
      .when_absent("only directord's own user")
      .key("readers", &Director::readers, name("a group's name"),
           "group whose members may query but not control directord, through `status.sock`; this host must have it",
           "monitoring")
      .when_absent("none")
      .type();
}

Type<ProbeMarks> probe_marks_type() {
  return Object<ProbeMarks>("probe_marks")
      .key("first", &ProbeMarks::first, integer<std::uint32_t>(1), "lowest mark of the range", "1000")
      .required()
      .key("last", &ProbeMarks::last, integer<std::uint32_t>(1), "highest mark of the range", "1999")
      .required()
      .type();
}

template <class T>
void complete(std::map<std::string, T>& by_node, const std::vector<Node>& nodes) {
  auto found = by_node.extract(every_node);
  if (found.empty()) return;
  for (const auto& node : nodes) by_node.emplace(node.name, found.mapped());
}

/// What a service leaves to its other keys: its servers' port, a mark's family, the quorum's upper end, a mask of all
/// bits.
void complete(Service& service) {
  auto& key = service.key;
  if (key.fwmark != 0) {
    const bool v6 = !service.servers.empty() && service.servers.front().endpoint.address.is_v6();
    key.protocol = ipvs::Protocol::none;
    key.endpoint = {.address = net::Address::any(v6 ? net::Family::ipv6 : net::Family::ipv4)};
  }
  if (service.spec.mask_length == key.endpoint.address.bits()) service.spec.mask_length = 0;
  for (auto& server : service.servers) {
    if (server.endpoint.port == 0) server.endpoint.port = key.endpoint.port;
  }
  std::ranges::stable_partition(service.servers, [](const Server& server) { return !server.fallback; });
  if (service.quorum.regain == 0) service.quorum.regain = service.quorum.below;
}

/// A node whose units run keeps the role; a group has one role.
void complete_preempt(Cluster& cluster) {
  for (auto& router : cluster.virtual_routers) {
    if (router.preempt.allowed) continue;
    const auto group = sync_group_of(cluster, router.name);
    router.preempt.allowed = std::ranges::none_of(cluster.virtual_routers, [&](const VirtualRouter& other) {
      return !other.resources.empty() && std::ranges::find(group, other.name) != group.end();
    });
  }
}

/// What the file says: the cluster, and what has done its work before the cluster is read.
struct File : Cluster {
  std::vector<std::string> include;
  checkers::Spec check_defaults;
  Server server_defaults;
  Service service_defaults;
};

Type<std::vector<std::string>> paths() {
  auto one = scalar<std::string>({.expected = "a path or a glob", .pattern = "."},
                                 [](std::string_view text) -> std::expected<std::string, std::string> {
                                   if (text.empty()) return std::unexpected("");
                                   return std::string(text);
                                 });
  return scalar_or_list(std::move(one), "paths or globs", ", or a list of them");
}

/// Read to find mistakes where they are; apply_defaults() has put the values where they belong.
Type<File> defaults() {
  return Object<File>("defaults")
      .key("service", &File::service_defaults,
           service_object().without({"listen", "fwmark", "servers"}).partial().type(), "default values for services",
           "{ scheduler: wrr, forward: dr }")
      .when_absent("nothing")
      .key("server", &File::server_defaults, server_object().without({"address"}).partial().type(),
           "default values for servers", "{ weight: 100 }")
      .when_absent("nothing")
      .key("check", &File::check_defaults,
           check_object()
               .without({"tcp", "tls", "http", "https", "udp", "dns", "icmp", "smtp", "exec", "agent", "file"})
               .partial()
               .type(),
           "default values for checks", "{ interval: 1s, timeout: 500ms }")
      .when_absent("nothing")
      .type();
}

const Type<File>& file_type() {
  static const auto type =
      Object<File>("the cluster file")
          .key("cluster", &Cluster::name, name("the cluster's name"), "the cluster's name", "shop")
          .required()
          .key("include", &File::include, paths(),
               "further files of this cluster file, by path or glob, relative to this file", "[services/*.yaml]")
          .when_absent("none")
          .key("defaults", std::identity(), defaults(), "default values for services, servers and checks",
               "{ check: { interval: 1s, timeout: 500ms } }")
          .when_absent("none")
          .key("nodes", &Cluster::nodes, named(node_type()),
               "the directors, by host name; needed for `vrrp` and `connection_sync`",
               "{ lb1: { address: 192.0.2.11, priority: 150 } }")
          .when_absent("this host alone")
          .key("vrrp", &Cluster::virtual_routers, named(virtual_router_type()),
               "VRRP virtual routers with their virtual addresses",
               "{ front: { router_id: 51, interface: eth0, addresses: [192.0.2.10/24] } }")
          .when_absent("none")
          .key(
              "groups", &Cluster::groups,
              list(list(name("the name of a virtual router"), "two or more virtual routers", 2), "groups, each a list"),
              "sync groups: virtual routers that fail over together", "[[front, back]]")
          .when_absent("none")
          .key(
              "connection_sync", [](Cluster& cluster) -> ConnectionSync& { return cluster.connection_sync.emplace(); },
              connection_sync_type(),
              "synchronisation of connections between the nodes by the kernel's IPVS sync daemons",
              "{ interface: eth1, id: 1 }")
          .when_absent("off")
          .key("peers", &Cluster::peers, peers_type(),
               "the connections over which the directors tell each other operators' drains and weights",
               "{ keys: /etc/directord/peers.keys }")
          .when_absent("the defaults of its keys")
          .key("stateless_takeover", &Cluster::stateless_takeover, boolean(),
               "takeover without synchronised connections: the new master accepts packets of TCP connections that it "
               "does not know and chooses the server by hash, as the old master did; all services except UDP ones need "
               "the scheduler mh or sh",
               "true")
          .key("director", &Cluster::director, director_type(), "settings of directord itself", "{ on_stop: clear }")
          .when_absent("the defaults of its keys")
          .key(
              "probe_marks", &Cluster::probe_marks, probe_marks_type(),
              "range of firewall marks reserved for checks with `via: vip`; nothing else on the directors may use them",
              "{ first: 1000, last: 1999 }")
          .when_absent("2097152000 to 2097217535 (0x7d000000 to 0x7d00ffff)")
          .key("services", &Cluster::services, named(service_object().type()), "the virtual services",
               "{ web: { listen: 192.0.2.10:80, servers: { web1: { address: 10.0.0.7 } } } }")
          .when_absent("none")
          .type();
  return type;
}

}  // namespace

const Shape& cluster_shape() { return file_type().shape; }

Cluster read(const YamlNode& root, Reader& reader) {
  File file;
  reader.subject = {.noun = "", .name = "", .place = root.place};
  file_type().read(reader, root, file);
  for (auto& router : file.virtual_routers) {
    complete(router.interfaces, file.nodes);
    complete(router.priorities, file.nodes);
    for (auto& route : router.routes) complete(route.interfaces, file.nodes);
    complete_routes(router);
  }
  complete_preempt(file);
  if (file.connection_sync) complete(file.connection_sync->interfaces, file.nodes);
  for (auto& service : file.services) complete(service);
  return std::move(static_cast<Cluster&>(file));
}

}  // namespace config
