// The values of options, each checked as ipvsadm checks it.
#include "ipvs/ctl/draft.h"

#include <arpa/inet.h>

#include "ipvs/ctl/rule_text.h"

namespace ipvs {

namespace {

/// A number of [low, high] for `target`, or an error that names `what`.
template <class Int>
Parsed<> set_number(Int& target, std::string_view argument, std::uint32_t low, std::uint32_t high,
                    std::string_view what) {
  const auto number = parse_number(argument, low, high);
  if (!number) return wrong("illegal {} specified: `{}' is not in {}..{}", what, argument, low, high);
  target = static_cast<Int>(*number);
  return {};
}

}  // namespace

Parsed<> Draft::set_key(Protocol protocol, std::string_view argument) {
  if (protocol == Protocol::none) {
    const auto mark = parse_number(argument, 1, UINT32_MAX);
    if (!mark) return wrong("invalid fwmark value `{}' specified: expected a decimal number, 1..4294967295", argument);
    key = {.protocol = protocol, .endpoint = {}, .fwmark = *mark};
    return {};
  }
  const auto target = parse_target(argument, protocol);
  if (!target) return wrong("illegal virtual server address[:port] specified: `{}'", argument);
  key = {.protocol = protocol, .endpoint = {.address = target->address, .port = target->port.value_or(0)}, .fwmark = 0};
  if (key.family() == net::Family::ipv6) {  // a mask given before was read as IPv4's
    service.mask_length = 0;
    service.raw_mask.reset();
  }
  return {};
}

Parsed<> Draft::set_netmask(std::string_view argument) {
  if (key.family() == net::Family::ipv6) {
    const auto length = parse_number(argument, 1, 128);
    if (!length) return wrong("illegal ipv6 netmask specified: `{}' is not in 1..128", argument);
    service.mask_length = static_cast<std::uint8_t>(*length % 128);
    return {};
  }
  in_addr mask{};
  if (!::inet_aton(std::string(argument).c_str(), &mask))
    return wrong("illegal virtual server persistent mask specified: `{}'", argument);
  set_ipv4_mask(service, ntohl(mask.s_addr));
  return {};
}

Parsed<> Draft::set_tunnel_type(std::string_view type) {
  for (const Tunnel::Type known : {Tunnel::Type::ipip, Tunnel::Type::gue, Tunnel::Type::gre}) {
    if (type != to_string(known)) continue;
    destination.tunnel.type = known;
    return {};
  }
  return wrong("illegal tunnel type specified: `{}' is not ipip, gue or gre", type);
}

Parsed<> Draft::set(Option option, std::optional<std::string_view> value) {
  if (option == Option::sort) return {};  // sorting is the default
  if (given & same_kind(option)) return wrong("multiple '{}' options specified", kind(option));
  given |= bit(option);
  if (option <= Option::one_packet) return set_service(option, value);
  const std::string_view argument = value.value_or("");
  if (option <= Option::tunnel_remcsum) return set_server(option, argument);
  if (option >= Option::sync_id) return set_daemon(option, argument);
  set_listing(option);
  return {};
}

Parsed<> Draft::set_service(Option option, std::optional<std::string_view> value) {
  const std::string_view argument = value.value_or("");
  switch (option) {
    case Option::tcp_service:
      return set_key(Protocol::tcp, argument);
    case Option::udp_service:
      return set_key(Protocol::udp, argument);
    case Option::sctp_service:
      return set_key(Protocol::sctp, argument);
    case Option::fwmark_service:
      return set_key(Protocol::none, argument);
    case Option::ipv6:
      if (!has(Option::fwmark_service)) return wrong("-6 used before -f");
      key.endpoint.address = net::Address::any(net::Family::ipv6);
      service.mask_length = 0;
      service.raw_mask.reset();
      return {};
    case Option::scheduler:
      if (!argument.empty()) service.scheduler = argument;
      return {};
    case Option::persistent: {
      std::uint32_t seconds = 360;
      if (value && !set_number(seconds, *value, 1, longest_timeout, "")) {
        return wrong("invalid timeout value `{}' specified: expected seconds, 1..{}", argument, longest_timeout);
      }
      service.persistence = std::chrono::seconds(seconds);
      return {};
    }
    case Option::netmask:
      return set_netmask(argument);
    case Option::persistence_engine:
      service.persistence_engine = argument;
      return {};
    case Option::scheduler_flags:
      flags = argument;
      return {};
    case Option::one_packet:
      service.flags |= flag::one_packet;
      return {};
    default:
      return {};
  }
}

Parsed<> Draft::set_server(Option option, std::string_view argument) {
  switch (option) {
    case Option::real_server:
      server = parse_target(argument, key.protocol);
      if (!server) return wrong("illegal real server address[:port] specified: `{}'", argument);
      return {};
    case Option::gatewaying:
      destination.forward = Forward::route;
      return {};
    case Option::ipip:
      destination.forward = Forward::tunnel;
      return {};
    case Option::masquerading:
      destination.forward = Forward::nat;
      return {};
    case Option::weight:
      return set_number(destination.weight, argument, 0, INT32_MAX, "weight");
    case Option::upper_threshold:
      return set_number(destination.upper_threshold, argument, 0, INT32_MAX, "u_threshold");
    case Option::lower_threshold:
      return set_number(destination.lower_threshold, argument, 0, INT32_MAX, "l_threshold");
    case Option::tunnel_type:
      return set_tunnel_type(argument);
    case Option::tunnel_port:
      return set_number(destination.tunnel.port, argument, 1, UINT16_MAX, "tunnel port");
    case Option::tunnel_nocsum:
      return {};
    case Option::tunnel_csum:
      destination.tunnel.flags = 1;
      return {};
    case Option::tunnel_remcsum:
      destination.tunnel.flags = 2;
      return {};
    default:
      return {};
  }
}

Parsed<> Draft::set_daemon(Option option, std::string_view argument) {
  switch (option) {
    case Option::sync_id:
      return set_number(daemon.sync_id, argument, 0, 255, "syncid");
    case Option::sync_maxlen:
      return set_number(daemon.max_length, argument, 1, 65535 - 20 - 8, "sync-maxlen");
    case Option::mcast_interface:
      daemon.interface = argument;
      return {};
    case Option::mcast_group:
      daemon.group = net::Address::parse(argument);
      if (daemon.group && daemon.group->is_multicast()) return {};
      return wrong("invalid mcast-group `{}': it is not a multicast address", argument);
    case Option::mcast_port:
      return set_number(daemon.port, argument, 1, UINT16_MAX, "mcast-port");
    case Option::mcast_ttl:
      return set_number(daemon.ttl, argument, 1, 255, "mcast-ttl");
    default:
      return {};
  }
}

/// Which table is shown is chosen when all options are known.
void Draft::set_listing(Option option) {
  switch (option) {
    case Option::exact:
      list.exact = true;
      return;
    case Option::nosort:
      list.nosort = true;
      return;
    case Option::numeric:
      list.numeric = true;
      return;
    case Option::json:
      list.json = true;
      return;
    default:
      return;
  }
}

}  // namespace ipvs
