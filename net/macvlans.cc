#include "net/macvlans.h"

#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "net/kernel_links.h"

namespace net {

namespace {

ifinfomsg header_of(int index, unsigned flags = 0, unsigned change = 0) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_flags = flags;
  header.ifi_change = change;
  return header;
}

NetlinkBatch creation(const Macvlans::Spec& wanted) {
  NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, header_of(0));
  batch.put_text(IFLA_IFNAME, wanted.name);
  batch.put(IFLA_LINK, wanted.lower_index);
  batch.put(IFLA_ADDRESS, Bytes(wanted.mac));
  const auto info = batch.begin_nest(IFLA_LINKINFO);
  batch.put_text(IFLA_INFO_KIND, "macvlan");
  const auto data = batch.begin_nest(IFLA_INFO_DATA);
  batch.put(IFLA_MACVLAN_MODE, std::uint32_t{MACVLAN_MODE_BRIDGE});
  batch.end_nest(data);
  batch.end_nest(info);
  return batch;
}

/// The address that it would give itself would be the same on every node.
NetlinkBatch without_own_ipv6_address(int index) {
  NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, 0, header_of(index));
  const auto families = batch.begin_nest(IFLA_AF_SPEC);
  const auto ipv6 = batch.begin_nest(AF_INET6);
  batch.put(IFLA_INET6_ADDR_GEN_MODE, std::uint8_t{IN6_ADDR_GEN_MODE_NONE});
  batch.end_nest(ipv6);
  batch.end_nest(families);
  return batch;
}

/// It may be gone.
std::string name_of(int index) {
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(static_cast<unsigned>(index), name.data()) == nullptr)
    return fmt::format("the interface with index {}", index);
  return fmt::format("the interface {}", name.data());
}

}  // namespace

Result<Macvlans> Macvlans::open() {
  auto netlink = Netlink::open(NETLINK_ROUTE);
  if (!netlink) return std::unexpected(netlink.error());
  return Macvlans(std::move(*netlink));
}

Result<Interface> Macvlans::make(const Spec& wanted) {
  const auto fail = [&](net::Error error) {
    error.message = fmt::format("create the interface {}: {}", wanted.name, error.message);
    return std::unexpected(std::move(error));
  };
  auto creating = creation(wanted);
  const auto made = netlink_.request(creating);
  if (!made && made.error().code != EEXIST) return fail(made.error());
  auto found = find(wanted.name);
  if (!found) return fail(found.error());
  if (found->lower_index != wanted.lower_index || found->mac != wanted.mac) {
    return fail({.code = EEXIST, .message = "another interface has that name"});
  }
  if (!made) return found;
  auto setting = without_own_ipv6_address(found->index);
  const auto set = netlink_.request(setting);
  if (!set && set.error().code != EAFNOSUPPORT) return fail(set.error());  // without IPv6 there is none to give
  return found;
}

Result<Interface> Macvlans::find(const std::string& name) {
  NetlinkBatch request;
  request.begin(RTM_GETLINK, 0, header_of(0));
  request.put_text(IFLA_IFNAME, name);
  Interface found;
  const auto asked = netlink_.request(request, [&](const NetlinkMessage& message) {
    if (auto read = read_interface(message)) found = std::move(*read);
  });
  if (!asked) return std::unexpected(asked.error());
  return found;
}

Result<> Macvlans::set_up(int index, bool up) {
  NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, 0, header_of(index, up ? unsigned{IFF_UP} : 0U, IFF_UP));
  auto set = netlink_.request(batch);
  if (!set) set.error().message = fmt::format("set {} {}: {}", name_of(index), up ? "up" : "down", set.error().message);
  return set;
}

Result<> Macvlans::remove(int index) {
  NetlinkBatch batch;
  batch.begin(RTM_DELLINK, 0, header_of(index));
  auto removed = netlink_.request(batch);
  if (removed || removed.error().code == ENODEV) return {};
  removed.error().message = fmt::format("remove {}: {}", name_of(index), removed.error().message);
  return removed;
}

}  // namespace net
