#include "config/keys/service_type.h"

#include "config/keys/check_type.h"
#include "config/schema/values.h"

namespace config {
namespace {

using namespace std::chrono_literals;

/// "192.0.2.1:80", "udp://192.0.2.1:53".
std::expected<ipvs::ServiceKey, std::string> parse_listen(std::string_view text) {
  ipvs::ServiceKey key;
  const auto slashes = text.find("://");
  if (slashes != std::string_view::npos) {
    const auto protocol = text.substr(0, slashes);
    text.remove_prefix(slashes + 3);
    if (protocol == "udp") {
      key.protocol = ipvs::Protocol::udp;
    } else if (protocol == "sctp") {
      key.protocol = ipvs::Protocol::sctp;
    } else if (protocol != "tcp") {
      return std::unexpected(fmt::format("; the protocols are tcp, udp and sctp, not {}", in_quotes(protocol)));
    }
  }
  if (text.starts_with("fwmark")) return std::unexpected("; write a firewall mark as 'fwmark: 5' instead of 'listen'");
  const auto endpoint = parse_endpoint(text);
  if (!endpoint) return std::unexpected(endpoint.error());
  if (endpoint->port == 0) {
    const auto meant = with_port_in_brackets(text);
    return std::unexpected("; the port is missing" +
                           (meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant)));
  }
  key.endpoint = *endpoint;
  return key;
}

Type<ipvs::ServiceKey> listen() {
  return scalar<ipvs::ServiceKey>({.expected = "[PROTOCOL://]ADDRESS:PORT",
                                   .pattern = R"(^((tcp|udp|sctp)://)?([0-9.]+|\[[0-9a-fA-F:.]+\]):[1-9][0-9]{0,4}$)"},
                                  parse_listen);
}

Type<std::string> scheduler() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto* name :
       {"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"}) {
    names.emplace_back(name, name);
  }
  return choice<std::string>(std::move(names));
}

auto forward() {
  return choice<ipvs::Forward>(
      {{"nat", ipvs::Forward::nat}, {"dr", ipvs::Forward::route}, {"tunnel", ipvs::Forward::tunnel}});
}

/// A bit of the service's flags.
template <std::uint32_t flag>
Type<std::uint32_t> flag_type() {
  auto type = boolean();
  return {.shape = type.shape,
          .read =
              [read = type.read](Reader& reader, const YamlNode& node, std::uint32_t& flags) {
                bool set = false;
                read(reader, node, set);
                flags = set ? flags | flag : flags & ~flag;
              },
          .show = [show = type.show](const std::uint32_t& flags) { return show((flags & flag) != 0); }};
}

constexpr auto flags = [](ipvs::Service& service) -> std::uint32_t& { return service.flags; };

Type<ipvs::Service> hash() {
  return Object<ipvs::Service>("hash")
      .key("port", flags, flag_type<ipvs::flag::sched2>(),
           "whether the client's port is hashed too, so that connections of one client are spread over the servers",
           "true")
      .key("fallback", flags, flag_type<ipvs::flag::sched1>(),
           "whether clients of a server with weight 0 or too many connections are sent to another server", "true")
      .type();
}

/// The kernel has an IPv4 mask of no bits; a length of 0 would stand for the whole address.
Type<ipvs::Service> mask() {
  auto length = integer<std::uint8_t>(0, 128);
  return {.shape = length.shape,
          .read = [read = length.read](Reader& reader, const YamlNode& node, ipvs::Service& service) {
            constexpr std::uint8_t unread = 255;
            std::uint8_t value = unread;
            read(reader, node, value);
            if (value == unread) return;
            service.mask_length = value;
            service.raw_mask = value == 0 ? std::optional<std::uint32_t>(0) : std::nullopt;
          }};
}

Type<ipvs::Tunnel> tunnel() {
  using Type = ipvs::Tunnel::Type;
  return Object<ipvs::Tunnel>("tunnel")
      .key("type", &ipvs::Tunnel::type, choice<Type>({{"ipip", Type::ipip}, {"gue", Type::gue}, {"gre", Type::gre}}),
           "type of encapsulation: IP in IP, Generic UDP Encapsulation, or GRE", "gue")
      .key("port", &ipvs::Tunnel::port, integer<std::uint16_t>(1), "UDP port of the servers, for gue", "6080")
      .when_absent("none")
      .key("checksum", &ipvs::Tunnel::flags, choice<std::uint16_t>({{"none", 0}, {"full", 1}, {"remote", 2}}),
           "checksum of the outer header, for gue and gre; `remote` is the remote checksum offload of gue", "full")
      .type();
}

auto on_failure() { return choice<OnFailure>({{"drain", OnFailure::drain}, {"remove", OnFailure::remove}}); }

Type<Quorum> quorum() {
  return Object<Quorum>("quorum")
      .key("below", &Quorum::below, integer<std::uint32_t>(1, 65535),
           "number of servers in service below which the quorum is lost", "2")
      .required()
      .key("regain", &Quorum::regain, integer<std::uint32_t>(1, 65535),
           "number of servers in service at which the quorum is regained", "3")
      .when_absent("the same as `below`")
      .type();
}

/// An address alone is a server called "fallback".
Type<std::vector<Server>> fallback() {
  auto one = endpoint();
  auto several = named(server_object().type(), ranged_name_pattern);
  const Shape shape = {.kind = Shape::Kind::any_of,
                       .expected = one.shape.expected + ", or a map of servers",
                       .of = {one.shape, several.shape}};
  auto read = [expected = shape.expected, one = one.read, several = several.read](Reader& reader, const YamlNode& node,
                                                                                  std::vector<Server>& servers) {
    std::vector<Server> found;
    if (node.kind == YamlNode::Kind::scalar) {
      one(reader, node, found.emplace_back(Server{.name = "fallback", .endpoint = {}}).endpoint);
    } else if (node.kind == YamlNode::Kind::map) {
      several(reader, node, found);
    } else {
      return reader.refuse(node, expected);
    }
    for (auto& server : found) {
      server.fallback = true;
      servers.push_back(std::move(server));
    }
  };
  return {.shape = shape, .read = read};
}

}  // namespace

Object<Server> server_object() {
  return Object<Server>("server")
      .key("address", &Server::endpoint, endpoint(),
           "address of the server, with a port if it differs from the service's", "10.0.0.7:8080")
      .required()
      .key("weight", &Server::weight, integer<std::uint32_t>(0, 65535),
           "share of the new connections, relative to the other servers; with 0 the server gets none", "3")
      .key("upper_threshold", &Server::upper_threshold, integer<std::uint32_t>(1),
           "number of open connections above which the server gets no new ones", "1000")
      .when_absent("no limit")
      .key("lower_threshold", &Server::lower_threshold, integer<std::uint32_t>(1),
           "number of open connections below which the server gets new ones again, after it exceeded `upper_threshold`",
           "800")
      .when_absent("three quarters of `upper_threshold`");
}

Object<Service> service_object() {
  return Object<Service>("service")
      .key("listen", &Service::key, listen(), "virtual address, port and protocol (tcp if not given)",
           "udp://192.0.2.1:53")
      .key(
          "fwmark", [](Service& service) -> std::uint32_t& { return service.key.fwmark; }, integer<std::uint32_t>(1),
          "firewall mark of the service's packets, instead of `listen`", "5")
      .when_absent("")
      .one_of({"listen", "fwmark"})
      .key(
          "scheduler", [](Service& service) -> std::string& { return service.spec.scheduler; }, scheduler(),
          "IPVS scheduler: how the kernel chooses a server for a new connection", "wrr")
      .key("forward", &Service::forward, forward(),
           "forwarding method: NAT (addresses rewritten in both directions), direct routing (only the MAC address "
           "changed), or tunnelling",
           "dr")
      .key(
          "persistence", [](Service& service) -> std::chrono::seconds& { return service.spec.persistence; },
          duration<std::chrono::seconds>(1s, 31 * 24h), "time for which a client is sent to the same server again",
          "5m")
      .when_absent("none")
      .key(
          "persistence_mask", [](Service& service) -> ipvs::Service& { return service.spec; }, mask(),
          "prefix length of client addresses: clients of the same network are sent to the same server; with 0, which "
          "the kernel has only for IPv4, all clients are sent to the same one",
          "24")
      .when_absent("the whole address")
      .key(
          "persistence_engine", [](Service& service) -> std::string& { return service.spec.persistence_engine; },
          choice<std::string>({{"sip", "sip"}}), "persistence engine: `sip` tells clients apart by the SIP Call-ID too",
          "sip")
      .when_absent("none")
      .key(
          "one_packet", [](Service& service) -> std::uint32_t& { return service.spec.flags; },
          flag_type<ipvs::flag::one_packet>(),
          "one-packet scheduling, for UDP: each datagram is scheduled separately, for example for DNS", "true")
      .key(
          "hash", [](Service& service) -> ipvs::Service& { return service.spec; }, hash(),
          "hash options of the schedulers sh and mh", "{ port: true, fallback: true }")
      .when_absent("the client's address alone")
      .key("tunnel", &Service::tunnel, tunnel(), "encapsulation with `forward: tunnel`", "{ type: gue, port: 6080 }")
      .when_absent("IP in IP")
      .key(
          "check", [](Service& service) -> checkers::Spec& { return service.checks.emplace_back(); },
          check_object().type(), "health check of the servers", "{ tcp: {}, interval: 1s, timeout: 500ms }")
      .when_absent("always up")
      .key("checks", &Service::checks, list(check_object().type(), "one or more checks", 1),
           "several health checks; `combine` says whether all or any must pass",
           "[{ tcp: {} }, { http: { path: /health } }]")
      .when_absent("always up")
      .at_most_one_of({"check", "checks"})
      .key("combine", &Service::combine,
           choice<checkers::Combine>({{"all", checkers::Combine::all}, {"any", checkers::Combine::any}}),
           "whether all of several checks must pass, or any one of them", "any")
      .key("on_failure", &Service::on_failure, on_failure(),
           "action on a server whose check failed: `drain` sets weight 0 and keeps its connections; `remove` removes "
           "it from the table and ends them",
           "remove")
      .key("servers", &Service::servers, named(server_object().type(), ranged_name_pattern),
           "real servers of the service", "{ web1: { address: 10.0.0.7, weight: 3 } }")
      .required()
      .key("fallback", &Service::servers, fallback(),
           "sorry server, or a map of several as in `servers`; checked like the servers and used only while the quorum "
           "is lost",
           "10.0.0.99:80")
      .when_absent("none")
      .key("quorum", &Service::quorum, quorum(),
           "minimum number of servers in service; while the quorum is lost, the fallback takes the new connections",
           "{ below: 2, regain: 3 }")
      .when_absent("lost with the last server in service, regained with the first")
      .key("panic", &Service::panic, integer<std::uint8_t>(0, 100),
           "maximum percentage of the servers' total weight that failed checks may take out; servers that fail beyond "
           "that stay in service",
           "50")
      .key("slow_start", &Service::slow_start, duration<std::chrono::seconds>(0s, 24h),
           "time in which a server that comes up reaches its full weight", "30s")
      .key("drain_time", &Service::drain_time, duration<std::chrono::seconds>(0s, 24h),
           "drain timeout: time for which a server removed from the cluster file may keep its open connections", "1h");
}

}  // namespace config
