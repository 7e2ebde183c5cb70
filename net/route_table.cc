#include "net/route_table.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

namespace net {

namespace {

constexpr std::uint32_t default_ipv6_metric = 1024;

constexpr AttributePolicy route_policy = {
    {RTA_DST, attribute::address},
    {RTA_OIF, attribute::exactly<int>},
    {RTA_GATEWAY, attribute::address},
    {RTA_PRIORITY, attribute::exactly<std::uint32_t>},
    {RTA_PREFSRC, attribute::address},
    {RTA_MULTIPATH, attribute::between(0, UINT16_MAX)},
    {RTA_TABLE, attribute::exactly<std::uint32_t>},
};

rtmsg header_of(const RouteEntry& route) {
  const bool v4 = route.to.address.is_v4();
  // A number above 255 is in RTA_TABLE alone.
  const auto table = static_cast<std::uint8_t>(route.table < 256 ? route.table : RT_TABLE_UNSPEC);
  return {.rtm_family = static_cast<std::uint8_t>(route.to.address.af()),
          .rtm_dst_len = route.to.length,
          .rtm_src_len = 0,
          .rtm_tos = 0,
          .rtm_table = table,
          .rtm_protocol = RouteTable::protocol,
          .rtm_scope = v4 ? static_cast<std::uint8_t>(route.scope) : static_cast<std::uint8_t>(RT_SCOPE_UNIVERSE),
          .rtm_type = RTN_UNICAST,
          .rtm_flags = 0};
}

void put_attributes(NetlinkBatch& batch, const RouteEntry& route) {
  if (route.to.length > 0) batch.put(RTA_DST, route.to.address.bytes());
  if (route.via) batch.put(RTA_GATEWAY, route.via->bytes());
  batch.put(RTA_OIF, route.interface_index);
  if (route.source) batch.put(RTA_PREFSRC, route.source->bytes());
  batch.put(RTA_TABLE, route.table);
  if (route.metric != 0) batch.put(RTA_PRIORITY, route.metric);
}

std::optional<RouteEntry> read(const NetlinkMessage& message, Family family) {
  const auto header = message.header<rtmsg>();
  if (!header || header->rtm_protocol != RouteTable::protocol) return std::nullopt;
  const auto attributes = Attributes::parse(message.after(sizeof *header), route_policy);
  if (!attributes || attributes->has(RTA_MULTIPATH)) return std::nullopt;  // shared: it has parts of others
  const auto address = [&](std::uint16_t type) { return Address::from_bytes(attributes->find(type)); };
  const bool v6 = family == Family::ipv6;
  RouteEntry route{.to = {.address = address(RTA_DST).value_or(Address::any(family)), .length = header->rtm_dst_len},
                   .via = address(RTA_GATEWAY),
                   .interface_index = attributes->get<int>(RTA_OIF).value_or(0),
                   .source = address(RTA_PREFSRC),
                   .table = attributes->get<std::uint32_t>(RTA_TABLE).value_or(header->rtm_table),
                   .metric = attributes->get<std::uint32_t>(RTA_PRIORITY).value_or(0),
                   .scope = v6 ? Scope::global : static_cast<Scope>(header->rtm_scope)};
  if (v6 && route.metric == default_ipv6_metric) route.metric = 0;
  return route;
}

}  // namespace

Result<RouteTable> RouteTable::open() {
  auto netlink = Netlink::open(NETLINK_ROUTE);
  if (!netlink) return std::unexpected(netlink.error());
  // The kernel leaves others' routes, of which there may be a million, out of its answer. Without it we do.
  const int on = 1;
  ::setsockopt(netlink->fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  return RouteTable(std::move(*netlink));
}

Result<> RouteTable::set(const RouteEntry& route, std::chrono::seconds lease) {
  NetlinkBatch batch;
  batch.begin(RTM_NEWROUTE, NLM_F_CREATE, header_of(route));
  put_attributes(batch, route);
  if (route.to.address.is_v6()) batch.put(RTA_EXPIRES, static_cast<std::uint32_t>(lease.count()));
  auto added = netlink_.request(batch);
  // It is there already, and of IPv6 has its new lease.
  if (!added && added.error().code == EEXIST) return {};
  if (!added)
    added.error().message = fmt::format("set the route to {}: {}", to_string(route.to), added.error().message);
  return added;
}

Result<> RouteTable::drop(const RouteEntry& route) {
  NetlinkBatch batch;
  batch.begin(RTM_DELROUTE, 0, header_of(route));
  put_attributes(batch, route);
  auto dropped = netlink_.request(batch);
  if (dropped || dropped.error().code == ESRCH || dropped.error().code == ENODEV) return {};
  dropped.error().message = fmt::format("remove the route to {}: {}", to_string(route.to), dropped.error().message);
  return dropped;
}

Result<std::vector<RouteEntry>> RouteTable::own() {
  std::vector<RouteEntry> routes;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const auto before = routes.size();
    rtmsg header{};
    header.rtm_family = static_cast<std::uint8_t>(Address::any(family).af());
    header.rtm_protocol = protocol;
    NetlinkBatch request;
    request.begin(RTM_GETROUTE, NLM_F_DUMP, header);
    const auto take = [&](const NetlinkMessage& message) {
      if (auto route = read(message, family)) routes.push_back(*route);
    };
    if (auto dumped = netlink_.dump(request, take, [&] { routes.resize(before); }); !dumped) {
      if (dumped.error().code == EOPNOTSUPP || dumped.error().code == EAFNOSUPPORT) continue;  // a family it lacks
      dumped.error().message = "read the routes: " + dumped.error().message;
      return std::unexpected(dumped.error());
    }
  }
  return routes;
}

}  // namespace net
