#include "net/leases.h"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cerrno>

namespace net {

namespace {

ifaddrmsg header_of(int interface_index, const Prefix& prefix) {
  return {.ifa_family = static_cast<std::uint8_t>(prefix.address.af()),
          .ifa_prefixlen = prefix.length,
          .ifa_flags = 0,
          .ifa_scope = static_cast<std::uint8_t>(prefix.address.is_link_local() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE),
          .ifa_index = static_cast<std::uint32_t>(interface_index)};
}

void put_address(NetlinkBatch& batch, const Address& address) {
  batch.put(IFA_LOCAL, address.bytes());
  batch.put(IFA_ADDRESS, address.bytes());
}

}  // namespace

Result<Leases> Leases::open() {
  auto netlink = Netlink::open(NETLINK_ROUTE);
  if (!netlink) return std::unexpected(netlink.error());
  // The kernel checks the privilege before it looks for the interface, and no interface has the index 0.
  NetlinkBatch probe;
  probe.begin(RTM_DELADDR, 0, header_of(0, {.address = Address::any(Family::ipv4), .length = 32}));
  const auto answer = netlink->request(probe);
  if (!answer && (answer.error().code == EPERM || answer.error().code == EACCES)) {
    return system_error(answer.error().code, "change interface addresses (this needs CAP_NET_ADMIN)");
  }
  return Leases(std::move(*netlink));
}

Result<> Leases::hold(const Holding& holding, std::chrono::seconds lease) {
  const Prefix& prefix = holding.prefix;
  const auto seconds = static_cast<std::uint32_t>(lease.count());
  std::uint32_t flags = holding.prefix_route ? 0 : IFA_F_NOPREFIXROUTE;
  if (prefix.address.is_v6()) flags |= IFA_F_NODAD;

  NetlinkBatch batch;
  batch.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, header_of(holding.interface_index, prefix));
  put_address(batch, prefix.address);
  batch.put(IFA_FLAGS, flags);
  // Deprecated, an IPv6 address answers, and is no source that the kernel chooses for this node's own traffic. IPv4
  // has no such state.
  const std::uint32_t preferred = prefix.address.is_v6() ? 0 : seconds;
  batch.put(IFA_CACHEINFO, ifa_cacheinfo{.ifa_prefered = preferred, .ifa_valid = seconds, .cstamp = 0, .tstamp = 0});
  auto held = netlink_.request(batch);
  if (!held) held.error().message = fmt::format("hold {}: {}", to_string(prefix), held.error().message);
  return held;
}

Result<> Leases::drop(int interface_index, const Prefix& prefix) {
  NetlinkBatch batch;
  batch.begin(RTM_DELADDR, 0, header_of(interface_index, prefix));
  put_address(batch, prefix.address);
  auto dropped = netlink_.request(batch);
  if (dropped) return {};
  const int code = dropped.error().code;
  if (code == EADDRNOTAVAIL || code == ENODEV || code == ENXIO) return {};
  dropped.error().message = fmt::format("remove {}: {}", to_string(prefix), dropped.error().message);
  return dropped;
}

}  // namespace net
