#include "config/keys/read.h"

#include <algorithm>

#include "config/keys/check_type.h"
#include "config/keys/router_type.h"
#include "config/keys/service_type.h"
#include "config/keys/virtual_address_type.h"
#include "config/schema/one_or_many.h"
#include "config/schema/values.h"

namespace config {
namespace {

using namespace std::chrono_literals;
using Interfaces = std::map<std::string, std::string>;

Type<Node> node_type() {
  return Object<Node>("node")
      .key("address", &Node::address, address(), "where the other directors reach it", "192.0.2.11")
      .required()
      .key("priority", &Node::priority, integer<std::uint8_t>(1, 254),
           "VRRP priority: of the nodes that live, the one with the highest holds the addresses", "150")
      .type();
}

Type<ConnectionSync> connection_sync_type() {
  return Object<ConnectionSync>("connection_sync")
      .key("interface", &ConnectionSync::interfaces, interfaces(),
           "where the kernel tells the other nodes of its connections; a map where the nodes' differ", "eth1")
      .required()
      .key("id", &ConnectionSync::id, integer<std::uint8_t>(0, 255), "syncid: the same on every node", "1")
      .type();
}

Type<Director> director_type() {
  using enum Director::Ownership;
  using enum Director::OnStop;
  return Object<Director>("director")
      .key("ownership", &Director::ownership, choice<Director::Ownership>({{"named", named}, {"exclusive", exclusive}}),
           "whether services in the kernel that the file does not name are left alone, or drained and removed",
           "exclusive")
      .key("on_stop", &Director::on_stop, choice<Director::OnStop>({{"keep", keep}, {"clear", clear}}),
           "whether the rules stay in the kernel when directord stops", "clear")
      .key("reload_guard", &Director::reload_guard, integer<std::uint8_t>(0, 100),
           "a reload that would remove more per cent of the services or servers than this is refused without `--yes`",
           "20")
      .key("operators", &Director::operators, name("a group's name"),
           "the group whose members may ask and steer directord, at `control.sock`; read when directord starts", "ops")
      .when_absent("only directord's own user")
      .key("readers", &Director::readers, name("a group's name"),
           "the group whose members may ask but not steer, at `status.sock`; read when directord starts", "monitoring")
      .when_absent("none")
      .type();
}

Type<ProbeMarks> probe_marks_type() {
  return Object<ProbeMarks>("probe_marks")
      .key("first", &ProbeMarks::first, integer<std::uint32_t>(1), "the lowest of them", "1000")
      .required()
      .key("last", &ProbeMarks::last, integer<std::uint32_t>(1), "the highest", "1999")
      .required()
      .type();
}

void complete(Interfaces& interfaces, const std::vector<Node>& nodes) {
  auto found = interfaces.extract(every_node);
  if (found.empty()) return;
  for (const auto& node : nodes) interfaces.emplace(node.name, found.mapped());
}

/// What a service leaves to its other keys: its servers' port, a mark's family, the quorum's upper end.
void complete(Service& service) {
  auto& key = service.key;
  if (key.fwmark != 0) {
    const bool v6 = !service.servers.empty() && service.servers.front().endpoint.address.is_v6();
    key.protocol = ipvs::Protocol::none;
    key.endpoint = {.address = net::Address::any(v6 ? net::Family::ipv6 : net::Family::ipv4)};
  }
  for (auto& server : service.servers) {
    if (server.endpoint.port == 0) server.endpoint.port = key.endpoint.port;
  }
  std::ranges::stable_partition(service.servers, [](const Server& server) { return !server.fallback; });
  if (service.quorum.regain == 0) service.quorum.regain = service.quorum.below;
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
  return one_or_many(std::move(one), "paths or globs", ", or a list of them");
}

/// Read to find mistakes where they are; apply_defaults() has put the values where they belong.
Type<File> defaults() {
  return Object<File>("defaults")
      .key("service", &File::service_defaults,
           service_object().without({"listen", "fwmark", "servers"}).partial().type(),
           "what services have that do not say otherwise", "{ scheduler: wrr, forward: dr }")
      .when_absent("nothing")
      .key("server", &File::server_defaults, server_object().without({"address"}).partial().type(),
           "what servers have that do not say otherwise", "{ weight: 100 }")
      .when_absent("nothing")
      .key("check", &File::check_defaults,
           check_object()
               .without({"tcp", "tls", "http", "https", "udp", "dns", "icmp", "smtp", "exec", "agent", "file"})
               .partial()
               .type(),
           "what checks have that do not say otherwise", "{ interval: 1s, timeout: 500ms }")
      .when_absent("nothing")
      .type();
}

const Type<File>& file_type() {
  static const auto type =
      Object<File>("the cluster file")
          .key("cluster", &Cluster::name, name("the cluster's name"), "the cluster's name", "shop")
          .required()
          .key("include", &File::include, paths(),
               "files whose keys belong to this one, by path or glob, relative to this file", "[services/*.yaml]")
          .when_absent("none")
          .key("defaults", std::identity(), defaults(),
               "what services, servers and checks have that do not say otherwise",
               "{ check: { interval: 1s, timeout: 500ms } }")
          .when_absent("none")
          .key("nodes", &Cluster::nodes, named(node_type()),
               "the directors, by host name; needed for `vrrp` and `connection_sync`",
               "{ lb1: { address: 192.0.2.11, priority: 150 } }")
          .when_absent("this host alone")
          .key("vrrp", &Cluster::virtual_routers, named(virtual_router_type()),
               "the virtual routers, and the addresses that each moves between the nodes",
               "{ front: { router_id: 51, interface: eth0, addresses: [192.0.2.10/24] } }")
          .when_absent("none")
          .key(
              "groups", &Cluster::groups,
              list(list(name("the name of a virtual router"), "two or more virtual routers", 2), "groups, each a list"),
              "virtual routers that fail over together", "[[front, back]]")
          .when_absent("none")
          .key(
              "connection_sync", [](Cluster& cluster) -> ConnectionSync& { return cluster.connection_sync.emplace(); },
              connection_sync_type(), "the kernel's own synchronisation of connections between the nodes",
              "{ interface: eth1, id: 1 }")
          .when_absent("off")
          .key("stateless_takeover", &Cluster::stateless_takeover, boolean(),
               "a node that takes over goes on with TCP connections that it has never seen, and sends each where its "
               "hash leads, as the other node did: every service but those by UDP has the scheduler mh or sh",
               "true")
          .key("director", &Cluster::director, director_type(), "how directord itself behaves", "{ on_stop: clear }")
          .when_absent("as its keys' defaults say")
          .key("probe_marks", &Cluster::probe_marks, probe_marks_type(),
               "the firewall marks that checks `via: vip` may use; nothing else on the directors may use them",
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
    for (auto& route : router.routes) complete(route.interfaces, file.nodes);
    complete_routes(router);
  }
  if (file.connection_sync) complete(file.connection_sync->interfaces, file.nodes);
  for (auto& service : file.services) complete(service);
  return std::move(static_cast<Cluster&>(file));
}

}  // namespace config
