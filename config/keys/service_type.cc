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
  if (text.starts_with("fwmark")) return std::unexpected("; a mark is a key of its own: 'fwmark: 5'");
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
           "the client's port counts too, so that one client's connections spread over the servers", "true")
      .key("fallback", flags, flag_type<ipvs::flag::sched1>(),
           "a client whose server has weight 0 or too many connections goes to another", "true")
      .type();
}

Type<ipvs::Tunnel> tunnel() {
  using Type = ipvs::Tunnel::Type;
  return Object<ipvs::Tunnel>("tunnel")
      .key("type", &ipvs::Tunnel::type, choice<Type>({{"ipip", Type::ipip}, {"gue", Type::gue}, {"gre", Type::gre}}),
           "IP in IP, Generic UDP Encapsulation, or GRE", "gue")
      .key("port", &ipvs::Tunnel::port, integer<std::uint16_t>(1), "gue: the servers' UDP port", "6080")
      .when_absent("none")
      .key("checksum", &ipvs::Tunnel::flags, choice<std::uint16_t>({{"none", 0}, {"full", 1}, {"remote", 2}}),
           "gue and gre: the outer header's checksum; `remote` is gue's remote checksum offload", "full")
      .type();
}

auto on_failure() { return choice<OnFailure>({{"drain", OnFailure::drain}, {"remove", OnFailure::remove}}); }

Type<Quorum> quorum() {
  return Object<Quorum>("quorum")
      .key("below", &Quorum::below, integer<std::uint32_t>(1, 65535), "lost when fewer servers are in than this", "2")
      .required()
      .key("regain", &Quorum::regain, integer<std::uint32_t>(1, 65535), "regained when this many are in", "3")
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
      .key("address", &Server::endpoint, endpoint(), "the server's address, with a port where it is not the service's",
           "10.0.0.7:8080")
      .required()
      .key("weight", &Server::weight, integer<std::uint32_t>(0, 65535),
           "its share of the connections beside the others'; 0 gives it no new ones", "3")
      .key("upper_threshold", &Server::upper_threshold, integer<std::uint32_t>(1),
           "with more open connections than this it gets no new ones", "1000")
      .when_absent("no bound")
      .key("lower_threshold", &Server::lower_threshold, integer<std::uint32_t>(1),
           "having had too many, it gets new ones again with fewer than this", "800")
      .when_absent("three quarters of `upper_threshold`");
}

Object<Service> service_object() {
  return Object<Service>("service")
      .key("listen", &Service::key, listen(), "the virtual address, port and protocol (tcp unless named)",
           "udp://192.0.2.1:53")
      .key(
          "fwmark", [](Service& service) -> std::uint32_t& { return service.key.fwmark; }, integer<std::uint32_t>(1),
          "instead of `listen`: the packets that the firewall gave this mark", "5")
      .when_absent("")
      .one_of({"listen", "fwmark"})
      .key(
          "scheduler", [](Service& service) -> std::string& { return service.spec.scheduler; }, scheduler(),
          "how the kernel chooses a server for a new connection", "wrr")
      .key("forward", &Service::forward, forward(),
           "how packets reach the servers: rewritten both ways, by link-layer address alone, or encapsulated", "dr")
      .key(
          "persistence", [](Service& service) -> std::chrono::seconds& { return service.spec.persistence; },
          duration<std::chrono::seconds>(1s, 31 * 24h), "for how long a client comes back to the same server", "5m")
      .when_absent("none")
      .key(
          "persistence_mask", [](Service& service) -> std::uint8_t& { return service.spec.mask_length; },
          integer<std::uint8_t>(1, 128), "clients whose addresses begin with the same so many bits come back together",
          "24")
      .when_absent("the whole address")
      .key(
          "persistence_engine", [](Service& service) -> std::string& { return service.spec.persistence_engine; },
          choice<std::string>({{"sip", "sip"}}), "what else than its address tells a client: `sip` the Call-ID", "sip")
      .when_absent("none")
      .key(
          "one_packet", [](Service& service) -> std::uint32_t& { return service.spec.flags; },
          flag_type<ipvs::flag::one_packet>(), "udp: each datagram is scheduled afresh, as fits DNS", "true")
      .key(
          "hash", [](Service& service) -> ipvs::Service& { return service.spec; }, hash(),
          "of the schedulers sh and mh: what is hashed", "{ port: true, fallback: true }")
      .when_absent("the client's address alone")
      .key("tunnel", &Service::tunnel, tunnel(), "how `forward: tunnel` encapsulates", "{ type: gue, port: 6080 }")
      .when_absent("IP in IP")
      .key(
          "check", [](Service& service) -> checkers::Spec& { return service.checks.emplace_back(); },
          check_object().type(), "what tells whether a server is up", "{ tcp: {}, interval: 1s, timeout: 500ms }")
      .when_absent("always up")
      .key("checks", &Service::checks, list(check_object().type(), "one or more checks", 1),
           "several checks; `combine` says which of them must pass", "[{ tcp: {} }, { http: { path: /health } }]")
      .when_absent("always up")
      .at_most_one_of({"check", "checks"})
      .key("combine", &Service::combine,
           choice<checkers::Combine>({{"all", checkers::Combine::all}, {"any", checkers::Combine::any}}),
           "of several checks, whether all must pass or one is enough", "any")
      .key("on_failure", &Service::on_failure, on_failure(),
           "what a failed check does to a server: weight 0, and its connections live on; or out of the table, and they "
           "end",
           "remove")
      .key("servers", &Service::servers, named(server_object().type(), ranged_name_pattern), "the real servers",
           "{ web1: { address: 10.0.0.7, weight: 3 } }")
      .required()
      .key("fallback", &Service::servers, fallback(),
           "the sorry server, or several by name as in `servers`: checked like them, and in use only while quorum is "
           "lost",
           "10.0.0.99:80")
      .when_absent("none")
      .key("quorum", &Service::quorum, quorum(),
           "how many servers must be in: below that the fallback takes the new connections instead of them",
           "{ below: 2, regain: 3 }")
      .when_absent("lost when none is in, regained by the first")
      .key("panic", &Service::panic, integer<std::uint8_t>(0, 100),
           "failed checks take away at most so many per cent of the servers' weight; what fails beyond that stays in",
           "50")
      .key("slow_start", &Service::slow_start, duration<std::chrono::seconds>(0s, 24h),
           "over which a server that comes up rises to its weight", "30s")
      .key("drain_time", &Service::drain_time, duration<std::chrono::seconds>(0s, 24h),
           "how long a server that has left the file may keep its open connections", "1h");
}

}  // namespace config
