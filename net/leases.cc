#include "net/leases.h"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>

namespace net {

namespace {

constexpr AttributePolicy address_policy = {{IFA_ADDRESS, attribute::address},
                                            {IFA_LOCAL, attribute::address},
                                            {IFA_CACHEINFO, attribute::exactly<ifa_cacheinfo>}};

ifaddrmsg header_of(int interface_index, const Prefix& prefix, std::optional<Scope> scope = {}) {
  return {.ifa_family = static_cast<std::uint8_t>(prefix.address.af()),
          .ifa_prefixlen = prefix.length,
          .ifa_flags = 0,
          .ifa_scope = static_cast<std::uint8_t>(scope.value_or(suitable_scope(prefix.address))),
          .ifa_index = static_cast<std::uint32_t>(interface_index)};
}

void put_address(NetlinkBatch& batch, const Address& address) {
  batch.put(IFA_LOCAL, address.bytes());
  batch.put(IFA_ADDRESS, address.bytes());
}

constexpr std::uint32_t for_ever = ~0U;

/// Both times are the kernel's: what is left in whole seconds, and when it was granted in hundredths since its boot,
/// modulo 2^32. That clock may be some tenths behind the monotonic one: a lease may seem older than it is.
std::optional<Leases::Lease> lease_since(const ifa_cacheinfo& info, Instant now) {
  if (info.ifa_valid == for_ever) return std::nullopt;
  using Hundredths = std::chrono::duration<std::int64_t, std::centi>;
  const auto clock = std::chrono::floor<Hundredths>(now.time_since_epoch()).count();
  const Hundredths age(static_cast<std::int32_t>(static_cast<std::uint32_t>(clock) - info.tstamp));
  const auto passed = std::max(std::chrono::floor<std::chrono::seconds>(age), std::chrono::seconds(0));
  return Leases::Lease{.granted = std::chrono::seconds(info.ifa_valid) + passed, .since = now - age};
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

Result<> Leases::set(const Request& request, std::chrono::seconds lease) {
  const Prefix& prefix = request.prefix;
  const auto seconds = static_cast<std::uint32_t>(lease.count());
  std::uint32_t flags = request.prefix_route ? 0 : IFA_F_NOPREFIXROUTE;
  if (prefix.address.is_v6()) flags |= IFA_F_NODAD;

  NetlinkBatch batch;
  batch.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, header_of(request.interface_index, prefix, request.scope));
  put_address(batch, prefix.address);
  if (!request.label.empty()) batch.put_text(IFA_LABEL, request.label);
  batch.put(IFA_FLAGS, flags);
  // Deprecated, an IPv6 address answers, and is no source that the kernel chooses for this node's own traffic. IPv4
  // has no such state.
  const std::uint32_t preferred = prefix.address.is_v6() ? 0 : seconds;
  batch.put(IFA_CACHEINFO, ifa_cacheinfo{.ifa_prefered = preferred, .ifa_valid = seconds, .cstamp = 0, .tstamp = 0});
  auto added = netlink_.request(batch);
  if (!added) added.error().message = fmt::format("set the address {}: {}", to_string(prefix), added.error().message);
  return added;
}

Result<std::optional<Leases::Lease>> Leases::find(int interface_index, const Prefix& prefix) {
  std::optional<Lease> found;
  NetlinkBatch request;
  request.begin(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
  const auto read = [&](const NetlinkMessage& message) {
    const auto header = message.header<ifaddrmsg>();
    if (!header || header->ifa_index != static_cast<std::uint32_t>(interface_index)) return;
    const auto attributes = Attributes::parse(message.after(sizeof *header), address_policy);
    if (!attributes || header->ifa_prefixlen != prefix.length) return;
    const auto address = Address::from_bytes(attributes->find(attributes->has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS));
    const auto info = attributes->get<ifa_cacheinfo>(IFA_CACHEINFO);
    if (address == prefix.address && info) found = lease_since(*info, monotonic_now());
  };
  if (auto dumped = netlink_.dump(request, read, [&] { found.reset(); }); !dumped) {
    dumped.error().message = fmt::format("read the address {}: {}", to_string(prefix), dumped.error().message);
    return std::unexpected(dumped.error());
  }
  return found;
}

Result<> Leases::drop(int interface_index, const Prefix& prefix) {
  NetlinkBatch batch;
  batch.begin(RTM_DELADDR, 0, header_of(interface_index, prefix));
  put_address(batch, prefix.address);
  auto dropped = netlink_.request(batch);
  if (dropped) return {};
  const int code = dropped.error().code;
  if (code == EADDRNOTAVAIL || code == ENODEV || code == ENXIO) return {};
  dropped.error().message = fmt::format("remove the address {}: {}", to_string(prefix), dropped.error().message);
  return dropped;
}

}  // namespace net
