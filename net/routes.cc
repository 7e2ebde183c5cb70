#include "net/routes.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

namespace net {

namespace {

constexpr AttributePolicy route_policy = {{RTA_OIF, attribute::exactly<int>}, {RTA_PREFSRC, attribute::address}};

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
    const auto attributes = Attributes::parse(message.after(sizeof *found), route_policy);
    if (!attributes) return;
    route.interface_index = attributes->get<int>(RTA_OIF).value_or(0);
    route.source = Address::from_bytes(attributes->find(RTA_PREFSRC));
    route.local = found->rtm_type == RTN_LOCAL;
  });
  if (!answered) {
    answered.error().message = fmt::format("find the route to {}: {}", to_string(address), answered.error().message);
    return std::unexpected(answered.error());
  }
  return route;
}

}  // namespace net
