// The kernel's answers are read as if a stranger had sent them: every attribute may be missing or of the wrong size,
// and every value out of range. What length each must have stands in the policies; the kernel's address is a union of
// 16 bytes, of which an IPv4 address is the first four.
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>

#include "ipvs/codec.h"

namespace ipvs {

namespace {

using net::Attributes;
using net::Result;

namespace attribute = net::attribute;
using net::AttributePolicy;
using U8 = std::uint8_t;
using U16 = std::uint16_t;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

constexpr AttributePolicy answer_policy = {
    {IPVS_CMD_ATTR_SERVICE, attribute::nest},
    {IPVS_CMD_ATTR_DEST, attribute::nest},
    {IPVS_CMD_ATTR_DAEMON, attribute::nest},
    {IPVS_CMD_ATTR_TIMEOUT_TCP, attribute::exactly<U32>},
    {IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, attribute::exactly<U32>},
    {IPVS_CMD_ATTR_TIMEOUT_UDP, attribute::exactly<U32>},
};
constexpr AttributePolicy service_policy = {
    {IPVS_SVC_ATTR_AF, attribute::exactly<U16>},
    {IPVS_SVC_ATTR_PROTOCOL, attribute::exactly<U16>},
    {IPVS_SVC_ATTR_ADDR, attribute::address},
    {IPVS_SVC_ATTR_PORT, attribute::exactly<U16>},
    {IPVS_SVC_ATTR_FWMARK, attribute::exactly<U32>},
    {IPVS_SVC_ATTR_SCHED_NAME, attribute::string},
    {IPVS_SVC_ATTR_FLAGS, attribute::exactly<ip_vs_flags>},
    {IPVS_SVC_ATTR_TIMEOUT, attribute::exactly<U32>},
    {IPVS_SVC_ATTR_NETMASK, attribute::exactly<U32>},
    {IPVS_SVC_ATTR_STATS, attribute::nest},
    {IPVS_SVC_ATTR_PE_NAME, attribute::string},
    {IPVS_SVC_ATTR_STATS64, attribute::nest},
};
constexpr AttributePolicy destination_policy = {
    {IPVS_DEST_ATTR_ADDR, attribute::address},
    {IPVS_DEST_ATTR_PORT, attribute::exactly<U16>},
    {IPVS_DEST_ATTR_FWD_METHOD, attribute::exactly<U32>},
    {IPVS_DEST_ATTR_WEIGHT, attribute::exactly<U32>},
    {IPVS_DEST_ATTR_U_THRESH, attribute::exactly<U32>},
    {IPVS_DEST_ATTR_L_THRESH, attribute::exactly<U32>},
    {IPVS_DEST_ATTR_ACTIVE_CONNS, attribute::exactly<U32>},
    {IPVS_DEST_ATTR_INACT_CONNS, attribute::exactly<U32>},
    {IPVS_DEST_ATTR_PERSIST_CONNS, attribute::exactly<U32>},
    {IPVS_DEST_ATTR_STATS, attribute::nest},
    {IPVS_DEST_ATTR_ADDR_FAMILY, attribute::exactly<U16>},
    {IPVS_DEST_ATTR_STATS64, attribute::nest},
    {IPVS_DEST_ATTR_TUN_TYPE, attribute::exactly<U8>},
    {IPVS_DEST_ATTR_TUN_PORT, attribute::exactly<U16>},
    {IPVS_DEST_ATTR_TUN_FLAGS, attribute::exactly<U16>},
};
constexpr AttributePolicy daemon_policy = {
    {IPVS_DAEMON_ATTR_STATE, attribute::exactly<U32>},
    {IPVS_DAEMON_ATTR_MCAST_IFN, attribute::string},
    {IPVS_DAEMON_ATTR_SYNC_ID, attribute::exactly<U32>},
    {IPVS_DAEMON_ATTR_SYNC_MAXLEN, attribute::exactly<U16>},
    {IPVS_DAEMON_ATTR_MCAST_GROUP, attribute::between(4, 4)},
    {IPVS_DAEMON_ATTR_MCAST_GROUP6, attribute::between(16, 16)},
    {IPVS_DAEMON_ATTR_MCAST_PORT, attribute::exactly<U16>},
    {IPVS_DAEMON_ATTR_MCAST_TTL, attribute::exactly<U8>},
};
constexpr AttributePolicy info_policy = {
    {IPVS_INFO_ATTR_VERSION, attribute::exactly<U32>},
    {IPVS_INFO_ATTR_CONN_TAB_SIZE, attribute::exactly<U32>},
};

/// `Count` is 64 bits wide in STATS64; in STATS, which is all that kernels before 4.1 have, only the bytes are.
template <class Count>
constexpr AttributePolicy stats_policy = {
    {IPVS_STATS_ATTR_CONNS, attribute::exactly<Count>},   {IPVS_STATS_ATTR_INPKTS, attribute::exactly<Count>},
    {IPVS_STATS_ATTR_OUTPKTS, attribute::exactly<Count>}, {IPVS_STATS_ATTR_INBYTES, attribute::exactly<U64>},
    {IPVS_STATS_ATTR_OUTBYTES, attribute::exactly<U64>},  {IPVS_STATS_ATTR_CPS, attribute::exactly<Count>},
    {IPVS_STATS_ATTR_INPPS, attribute::exactly<Count>},   {IPVS_STATS_ATTR_OUTPPS, attribute::exactly<Count>},
    {IPVS_STATS_ATTR_INBPS, attribute::exactly<Count>},   {IPVS_STATS_ATTR_OUTBPS, attribute::exactly<Count>},
};

constexpr std::string_view incomplete = "the kernel's IPVS answer lacks an attribute or has one of a wrong value";

std::unexpected<net::Error> bad_answer() { return net::failure(std::string(incomplete)); }

template <class Int>
Int host_order(Int value) {
  return std::endian::native == std::endian::big ? value : std::byteswap(value);
}

/// The attributes inside the answer's one first-level attribute of this type.
Result<Attributes> body(const net::NetlinkMessage& message, std::uint16_t type, const AttributePolicy& policy) {
  const auto outer = Attributes::parse(message.after(sizeof(genlmsghdr)), answer_policy);
  if (!outer) return outer;
  if (!outer->has(type)) return bad_answer();
  return outer->nest(type, policy);
}

std::optional<net::Address> address_of(int af, net::Bytes bytes) {
  const std::size_t size = af == AF_INET ? 4 : 16;
  if ((af != AF_INET && af != AF_INET6) || bytes.size() < size) return std::nullopt;
  return net::Address::from_bytes(bytes.first(size));
}

Result<Stats> read_stats(const Attributes& owner, std::uint16_t stats64, std::uint16_t stats32) {
  const auto attributes =
      owner.has(stats64) ? owner.nest(stats64, stats_policy<U64>) : owner.nest(stats32, stats_policy<U32>);
  if (!attributes) return std::unexpected(attributes.error());
  const auto value = [&](std::uint16_t type) -> std::uint64_t {
    if (const auto wide = attributes->get<std::uint64_t>(type)) return *wide;
    return attributes->get<std::uint32_t>(type).value_or(0);
  };
  return Stats{.connections = value(IPVS_STATS_ATTR_CONNS),
               .packets_in = value(IPVS_STATS_ATTR_INPKTS),
               .packets_out = value(IPVS_STATS_ATTR_OUTPKTS),
               .bytes_in = value(IPVS_STATS_ATTR_INBYTES),
               .bytes_out = value(IPVS_STATS_ATTR_OUTBYTES),
               .connection_rate = value(IPVS_STATS_ATTR_CPS),
               .packet_rate_in = value(IPVS_STATS_ATTR_INPPS),
               .packet_rate_out = value(IPVS_STATS_ATTR_OUTPPS),
               .byte_rate_in = value(IPVS_STATS_ATTR_INBPS),
               .byte_rate_out = value(IPVS_STATS_ATTR_OUTBPS)};
}

std::optional<ServiceKey> read_key(const Attributes& attributes) {
  const auto af = attributes.get<std::uint16_t>(IPVS_SVC_ATTR_AF);
  if (!af || (*af != AF_INET && *af != AF_INET6)) return std::nullopt;
  const auto any = net::Address::any(*af == AF_INET ? net::Family::ipv4 : net::Family::ipv6);
  if (const auto mark = attributes.get<std::uint32_t>(IPVS_SVC_ATTR_FWMARK)) {
    return ServiceKey{.protocol = Protocol::none, .endpoint = {.address = any, .port = 0}, .fwmark = *mark};
  }
  const auto protocol = attributes.get<std::uint16_t>(IPVS_SVC_ATTR_PROTOCOL);
  const auto address = address_of(*af, attributes.find(IPVS_SVC_ATTR_ADDR));
  const auto port = attributes.get<std::uint16_t>(IPVS_SVC_ATTR_PORT);
  if (!protocol || !address || !port) return std::nullopt;
  for (const Protocol known : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
    if (*protocol != static_cast<std::uint16_t>(known)) continue;
    return ServiceKey{.protocol = known, .endpoint = {.address = *address, .port = host_order(*port)}, .fwmark = 0};
  }
  return std::nullopt;
}

}  // namespace

Result<ServiceRow> decode_service(const net::NetlinkMessage& message) {
  const auto attributes = body(message, IPVS_CMD_ATTR_SERVICE, service_policy);
  if (!attributes) return std::unexpected(attributes.error());
  const auto key = read_key(*attributes);
  const auto scheduler = attributes->text(IPVS_SVC_ATTR_SCHED_NAME);
  const auto flags = attributes->get<ip_vs_flags>(IPVS_SVC_ATTR_FLAGS);
  const auto timeout = attributes->get<std::uint32_t>(IPVS_SVC_ATTR_TIMEOUT);
  const auto mask = attributes->get<std::uint32_t>(IPVS_SVC_ATTR_NETMASK);
  if (!key || !scheduler || !flags || !timeout || !mask) return bad_answer();
  auto stats = read_stats(*attributes, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_STATS);
  if (!stats) return std::unexpected(std::move(stats.error()));

  Service service{.scheduler = std::string(*scheduler),
                  .flags = flags->flags & (flag::one_packet | flag::sched1 | flag::sched2 | flag::sched3),
                  .persistence_engine = std::string(attributes->text(IPVS_SVC_ATTR_PE_NAME).value_or(""))};
  if (flags->flags & flag::persistent && *timeout > 0) {
    service.persistence = std::chrono::seconds(*timeout);
    if (key->family() == net::Family::ipv4) {
      set_ipv4_mask(service, host_order(*mask));
    } else {
      service.mask_length = static_cast<std::uint8_t>(*mask < 128 ? *mask : 0);
    }
  }
  return ServiceRow{.key = *key, .service = std::move(service), .stats = *stats};
}

Result<DestinationRow> decode_destination(const net::NetlinkMessage& message, net::Family family) {
  const auto attributes = body(message, IPVS_CMD_ATTR_DEST, destination_policy);
  if (!attributes) return std::unexpected(attributes.error());
  const std::uint16_t service_af = family == net::Family::ipv4 ? AF_INET : AF_INET6;
  const std::uint16_t af = attributes->get<std::uint16_t>(IPVS_DEST_ATTR_ADDR_FAMILY).value_or(service_af);
  const auto address = address_of(af, attributes->find(IPVS_DEST_ATTR_ADDR));
  const auto port = attributes->get<std::uint16_t>(IPVS_DEST_ATTR_PORT);
  const auto method = attributes->get<std::uint32_t>(IPVS_DEST_ATTR_FWD_METHOD);
  const auto weight = attributes->get<std::uint32_t>(IPVS_DEST_ATTR_WEIGHT);
  const auto upper = attributes->get<std::uint32_t>(IPVS_DEST_ATTR_U_THRESH);
  const auto lower = attributes->get<std::uint32_t>(IPVS_DEST_ATTR_L_THRESH);
  if (!address || !port || !method || !weight || !upper || !lower) return bad_answer();
  const std::uint32_t forward = *method & IP_VS_CONN_F_FWD_MASK;
  if (forward > static_cast<std::uint32_t>(Forward::bypass)) return bad_answer();
  auto stats = read_stats(*attributes, IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_STATS);
  if (!stats) return std::unexpected(std::move(stats.error()));

  Destination destination{.forward = static_cast<Forward>(forward),
                          .weight = *weight,
                          .upper_threshold = *upper,
                          .lower_threshold = *lower,
                          .tunnel = {}};
  if (destination.forward == Forward::tunnel) {
    const auto type = attributes->get<std::uint8_t>(IPVS_DEST_ATTR_TUN_TYPE).value_or(0);
    if (type > static_cast<std::uint8_t>(Tunnel::Type::gre)) return bad_answer();
    destination.tunnel = {.type = static_cast<Tunnel::Type>(type),
                          .port = host_order(attributes->get<std::uint16_t>(IPVS_DEST_ATTR_TUN_PORT).value_or(0)),
                          .flags = attributes->get<std::uint16_t>(IPVS_DEST_ATTR_TUN_FLAGS).value_or(0)};
  }
  const auto connections = [&](std::uint16_t type) { return attributes->get<std::uint32_t>(type).value_or(0); };
  return DestinationRow{.key = {.endpoint = {.address = *address, .port = host_order(*port)}},
                        .status = {.destination = destination,
                                   .active = connections(IPVS_DEST_ATTR_ACTIVE_CONNS),
                                   .inactive = connections(IPVS_DEST_ATTR_INACT_CONNS),
                                   .persistent = connections(IPVS_DEST_ATTR_PERSIST_CONNS),
                                   .stats = *stats}};
}

Result<Daemon> decode_daemon(const net::NetlinkMessage& message) {
  const auto attributes = body(message, IPVS_CMD_ATTR_DAEMON, daemon_policy);
  if (!attributes) return std::unexpected(attributes.error());
  const auto state = attributes->get<std::uint32_t>(IPVS_DAEMON_ATTR_STATE);
  const auto interface = attributes->text(IPVS_DAEMON_ATTR_MCAST_IFN);
  const auto id = attributes->get<std::uint32_t>(IPVS_DAEMON_ATTR_SYNC_ID);
  if (!state || !interface || !id || *state < IP_VS_STATE_MASTER || *state > IP_VS_STATE_BACKUP || *id > 255) {
    return bad_answer();
  }
  auto group = address_of(AF_INET, attributes->find(IPVS_DAEMON_ATTR_MCAST_GROUP));
  if (!group) group = address_of(AF_INET6, attributes->find(IPVS_DAEMON_ATTR_MCAST_GROUP6));
  return Daemon{.state = static_cast<Daemon::State>(*state),
                .interface = std::string(*interface),
                .sync_id = static_cast<std::uint8_t>(*id),
                .max_length = attributes->get<std::uint16_t>(IPVS_DAEMON_ATTR_SYNC_MAXLEN).value_or(0),
                .group = group,
                .port = attributes->get<std::uint16_t>(IPVS_DAEMON_ATTR_MCAST_PORT).value_or(0),
                .ttl = attributes->get<std::uint8_t>(IPVS_DAEMON_ATTR_MCAST_TTL).value_or(0)};
}

Result<Timeouts> decode_timeouts(const net::NetlinkMessage& message) {
  const auto attributes = Attributes::parse(message.after(sizeof(genlmsghdr)), answer_policy);
  if (!attributes) return std::unexpected(attributes.error());
  const auto tcp = attributes->get<std::uint32_t>(IPVS_CMD_ATTR_TIMEOUT_TCP);
  const auto tcp_fin = attributes->get<std::uint32_t>(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN);
  if (!tcp || !tcp_fin) return bad_answer();
  // A kernel built without UDP balancing has no third one.
  const auto udp = attributes->get<std::uint32_t>(IPVS_CMD_ATTR_TIMEOUT_UDP).value_or(0);
  using std::chrono::seconds;
  return Timeouts{.tcp = seconds(*tcp), .tcp_fin = seconds(*tcp_fin), .udp = seconds(udp)};
}

Result<Info> decode_info(const net::NetlinkMessage& message) {
  const auto attributes = Attributes::parse(message.after(sizeof(genlmsghdr)), info_policy);
  if (!attributes) return std::unexpected(attributes.error());
  const auto version = attributes->get<std::uint32_t>(IPVS_INFO_ATTR_VERSION);
  const auto size = attributes->get<std::uint32_t>(IPVS_INFO_ATTR_CONN_TAB_SIZE);
  if (!version || !size) return bad_answer();
  return Info{.version = *version, .connection_table_size = *size};
}

}  // namespace ipvs
