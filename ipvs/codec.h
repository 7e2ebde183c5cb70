#pragma once

#include "ipvs/op.h"
#include "net/error.h"
#include "net/netlink_message.h"

/// The IPVS family's messages (linux/ip_vs.h, IPVS_CMD_* and their attributes). Pure: no socket, no clock.
namespace ipvs {

/// Appends the message that does `op`. `family` is the id that the kernel gave the generic-netlink family "IPVS".
void encode(net::NetlinkBatch& batch, std::uint16_t family, const Op& op);

/// Questions: the list of services, one service, a service's destinations, and the rest.
void encode_list_services(net::NetlinkBatch& batch, std::uint16_t family);
void encode_get_service(net::NetlinkBatch& batch, std::uint16_t family, const ServiceKey& key);
void encode_list_destinations(net::NetlinkBatch& batch, std::uint16_t family, const ServiceKey& key);
void encode_list_daemons(net::NetlinkBatch& batch, std::uint16_t family);
void encode_get_timeouts(net::NetlinkBatch& batch, std::uint16_t family);
void encode_get_info(net::NetlinkBatch& batch, std::uint16_t family);

/// Answers. Errors: attributes that are missing, too short, or of a value that the family does not have.
net::Result<ServiceRow> decode_service(const net::NetlinkMessage& message);
/// `family`: the service's, for kernels that do not say the destination's own.
net::Result<DestinationRow> decode_destination(const net::NetlinkMessage& message, net::Family family);
net::Result<Daemon> decode_daemon(const net::NetlinkMessage& message);
net::Result<Timeouts> decode_timeouts(const net::NetlinkMessage& message);
net::Result<Info> decode_info(const net::NetlinkMessage& message);

}  // namespace ipvs
