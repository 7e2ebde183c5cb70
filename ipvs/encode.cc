// Every command is a generic-netlink header and, at its first level, one nested attribute each for the service, the
// destination or the daemon that it speaks of. Addresses, ports and IPv4 netmasks are in network order, all else in the
// host's.
#include <linux/ip_vs.h>

#include <algorithm>
#include <bit>

#include "ipvs/codec.h"

namespace ipvs {

namespace {

using net::NetlinkBatch;

void begin(NetlinkBatch& batch, std::uint16_t family, std::uint8_t command) {
  batch.begin_command(family, command, IPVS_GENL_VERSION);
}

std::uint16_t network_order(std::uint16_t value) {
  return std::endian::native == std::endian::big ? value : std::byteswap(value);
}

std::uint32_t network_order(std::uint32_t value) {
  return std::endian::native == std::endian::big ? value : std::byteswap(value);
}

/// union nf_inet_addr: 16 bytes whatever the family.
void put_address(NetlinkBatch& batch, std::uint16_t type, const net::Address& address) {
  std::array<std::byte, 16> bytes{};
  std::ranges::copy(address.bytes(), bytes.begin());
  batch.put(type, net::Bytes(bytes));
}

void put_key(NetlinkBatch& batch, const ServiceKey& key) {
  batch.put(IPVS_SVC_ATTR_AF, static_cast<std::uint16_t>(key.endpoint.address.af()));
  if (key.protocol == Protocol::none) {
    batch.put(IPVS_SVC_ATTR_FWMARK, key.fwmark);
  } else {
    batch.put(IPVS_SVC_ATTR_PROTOCOL, static_cast<std::uint16_t>(key.protocol));
    put_address(batch, IPVS_SVC_ATTR_ADDR, key.endpoint.address);
    batch.put(IPVS_SVC_ATTR_PORT, network_order(key.endpoint.port));
  }
}

/// IPv4 wants the mask itself, IPv6 the prefix length.
std::uint32_t netmask(net::Family family, const Service& service) {
  if (family == net::Family::ipv6) return service.mask_length == 0 ? 128 : service.mask_length;
  return network_order(ipv4_mask(service));
}

void put_service(NetlinkBatch& batch, const ServiceKey& key, const Service& service) {
  const auto nest = batch.begin_nest(IPVS_CMD_ATTR_SERVICE);
  put_key(batch, key);
  batch.put_text(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler);
  if (!service.persistence_engine.empty()) batch.put_text(IPVS_SVC_ATTR_PE_NAME, service.persistence_engine);
  const std::uint32_t persistent = service.persistence.count() > 0 ? flag::persistent : 0;
  batch.put(IPVS_SVC_ATTR_FLAGS, ip_vs_flags{.flags = service.flags | persistent, .mask = UINT32_MAX});
  batch.put(IPVS_SVC_ATTR_TIMEOUT, static_cast<std::uint32_t>(service.persistence.count()));
  batch.put(IPVS_SVC_ATTR_NETMASK, netmask(key.family(), service));
  batch.end_nest(nest);
}

void put_service(NetlinkBatch& batch, const ServiceKey& key) {
  const auto nest = batch.begin_nest(IPVS_CMD_ATTR_SERVICE);
  put_key(batch, key);
  batch.end_nest(nest);
}

void put_key(NetlinkBatch& batch, const DestinationKey& key) {
  batch.put(IPVS_DEST_ATTR_ADDR_FAMILY, static_cast<std::uint16_t>(key.endpoint.address.af()));
  put_address(batch, IPVS_DEST_ATTR_ADDR, key.endpoint.address);
  batch.put(IPVS_DEST_ATTR_PORT, network_order(key.endpoint.port));
}

void put_destination(NetlinkBatch& batch, const DestinationKey& key, const Destination& destination) {
  const auto nest = batch.begin_nest(IPVS_CMD_ATTR_DEST);
  put_key(batch, key);
  batch.put(IPVS_DEST_ATTR_FWD_METHOD, static_cast<std::uint32_t>(destination.forward));
  batch.put(IPVS_DEST_ATTR_WEIGHT, destination.weight);
  batch.put(IPVS_DEST_ATTR_U_THRESH, destination.upper_threshold);
  batch.put(IPVS_DEST_ATTR_L_THRESH, destination.lower_threshold);
  if (destination.forward == Forward::tunnel) {
    batch.put(IPVS_DEST_ATTR_TUN_TYPE, static_cast<std::uint8_t>(destination.tunnel.type));
    batch.put(IPVS_DEST_ATTR_TUN_PORT, network_order(destination.tunnel.port));
    batch.put(IPVS_DEST_ATTR_TUN_FLAGS, destination.tunnel.flags);
  }
  batch.end_nest(nest);
}

void put_daemon(NetlinkBatch& batch, const Daemon& daemon) {
  const auto nest = batch.begin_nest(IPVS_CMD_ATTR_DAEMON);
  batch.put(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(daemon.state));
  batch.put_text(IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface);
  batch.put(IPVS_DAEMON_ATTR_SYNC_ID, std::uint32_t{daemon.sync_id});
  if (daemon.max_length != 0) batch.put(IPVS_DAEMON_ATTR_SYNC_MAXLEN, daemon.max_length);
  if (daemon.group) {
    batch.put(daemon.group->is_v4() ? IPVS_DAEMON_ATTR_MCAST_GROUP : IPVS_DAEMON_ATTR_MCAST_GROUP6,
              daemon.group->bytes());
  }
  if (daemon.port != 0) batch.put(IPVS_DAEMON_ATTR_MCAST_PORT, daemon.port);
  if (daemon.ttl != 0) batch.put(IPVS_DAEMON_ATTR_MCAST_TTL, daemon.ttl);
  batch.end_nest(nest);
}

/// One overload for each op: its command and what that speaks of.
struct Encoder {
  NetlinkBatch& batch;
  std::uint16_t family;

  void operator()(const AddService& op) const {
    begin(batch, family, IPVS_CMD_NEW_SERVICE);
    put_service(batch, op.key, op.service);
  }
  void operator()(const SetService& op) const {
    begin(batch, family, IPVS_CMD_SET_SERVICE);
    put_service(batch, op.key, op.service);
  }
  void operator()(const RemoveService& op) const {
    begin(batch, family, IPVS_CMD_DEL_SERVICE);
    put_service(batch, op.key);
  }
  void operator()(const AddDestination& op) const {
    begin(batch, family, IPVS_CMD_NEW_DEST);
    put_service(batch, op.service);
    put_destination(batch, op.key, op.destination);
  }
  void operator()(const SetDestination& op) const {
    begin(batch, family, IPVS_CMD_SET_DEST);
    put_service(batch, op.service);
    put_destination(batch, op.key, op.destination);
  }
  void operator()(const RemoveDestination& op) const {
    begin(batch, family, IPVS_CMD_DEL_DEST);
    put_service(batch, op.service);
    const auto nest = batch.begin_nest(IPVS_CMD_ATTR_DEST);
    put_key(batch, op.key);
    batch.end_nest(nest);
  }
  void operator()(const Zero& op) const {
    begin(batch, family, IPVS_CMD_ZERO);
    if (op.service) put_service(batch, *op.service);
  }
  void operator()(const Flush&) const { begin(batch, family, IPVS_CMD_FLUSH); }
  void operator()(const SetTimeouts& op) const {
    begin(batch, family, IPVS_CMD_SET_CONFIG);
    batch.put(IPVS_CMD_ATTR_TIMEOUT_TCP, static_cast<std::uint32_t>(op.timeouts.tcp.count()));
    batch.put(IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, static_cast<std::uint32_t>(op.timeouts.tcp_fin.count()));
    batch.put(IPVS_CMD_ATTR_TIMEOUT_UDP, static_cast<std::uint32_t>(op.timeouts.udp.count()));
  }
  void operator()(const StartDaemon& op) const {
    begin(batch, family, IPVS_CMD_NEW_DAEMON);
    put_daemon(batch, op.daemon);
  }
  void operator()(const StopDaemon& op) const {
    begin(batch, family, IPVS_CMD_DEL_DAEMON);
    const auto nest = batch.begin_nest(IPVS_CMD_ATTR_DAEMON);
    batch.put(IPVS_DAEMON_ATTR_STATE, static_cast<std::uint32_t>(op.state));
    batch.end_nest(nest);
  }
};

}  // namespace

void encode(NetlinkBatch& batch, std::uint16_t family, const Op& op) {
  std::visit(Encoder{.batch = batch, .family = family}, op);
}

void encode_list_services(NetlinkBatch& batch, std::uint16_t family) { begin(batch, family, IPVS_CMD_GET_SERVICE); }

void encode_get_service(NetlinkBatch& batch, std::uint16_t family, const ServiceKey& key) {
  begin(batch, family, IPVS_CMD_GET_SERVICE);
  put_service(batch, key);
}

void encode_list_destinations(NetlinkBatch& batch, std::uint16_t family, const ServiceKey& key) {
  begin(batch, family, IPVS_CMD_GET_DEST);
  put_service(batch, key);
}

void encode_list_daemons(NetlinkBatch& batch, std::uint16_t family) { begin(batch, family, IPVS_CMD_GET_DAEMON); }
void encode_get_timeouts(NetlinkBatch& batch, std::uint16_t family) { begin(batch, family, IPVS_CMD_GET_CONFIG); }
void encode_get_info(NetlinkBatch& batch, std::uint16_t family) { begin(batch, family, IPVS_CMD_GET_INFO); }

}  // namespace ipvs
