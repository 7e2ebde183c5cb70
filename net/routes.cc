#include "net/routes.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

namespace net {

namespace {

constexpr AttributePolicy route_policy = {{RTA_OIF, attribute::exactly<int>}};

/// The first of its kind: of an IPv6 route that prefers a source the kernel says it twice, as its choice and as the
/// route's.
std::optional<Address> source_in(Bytes attributes) {
  const auto* first = reinterpret_cast<const nlattr*>(attributes.data());
  const nlattr* source = nla_find(first, static_cast<int>(attributes.size()), RTA_PREFSRC);
  if (source == nullptr) return std::nullopt;
  return Address::from_bytes(
      {static_cast<const std::byte*>(nla_data(source)), static_cast<std::size_t>(nla_len(source))});
}

}  // namespace

Result<Route> route_to(Netlink& netlink, const Address& address) {
  NetlinkBatch request;
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(address.af());
  header.rtm_dst_len = static_cast<unsigned char>(address.bits());
  request.begin(RTM_GETROUTE, 0, header);
  request.put(RTA_DST, address.bytes());

  Route route;
  auto answered = netlink.request(request, [&](const NetlinkMessage& message) {
    const auto found = message.header<rtmsg>();
    if (message.type != RTM_NEWROUTE || !found) return;
    const auto after = message.after(sizeof *found);
    const auto attributes = Attributes::parse(after, route_policy);
    if (!attributes) return;
    route.interface_index = attributes->get<int>(RTA_OIF).value_or(0);
    route.source = source_in(after);
    route.local = found->rtm_type == RTN_LOCAL;
  });
  if (!answered) {
    answered.error().message = fmt::format("find the route to {}: {}", to_string(address), answered.error().message);
    return std::unexpected(answered.error());
  }
  return route;
}

}  // namespace net
