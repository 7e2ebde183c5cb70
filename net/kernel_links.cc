#include "net/kernel_links.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace net {

namespace {

constexpr auto groups = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR};

/// Between one try to read everything and the next.
constexpr auto reread_delay = std::chrono::milliseconds(100);

constexpr AttributePolicy link_policy = {
    {IFLA_ADDRESS, attribute::between(0, 32)}, {IFLA_IFNAME, attribute::string},
    {IFLA_LINK, attribute::exactly<int>},      {IFLA_LINK_NETNSID, attribute::exactly<int>},
    {IFLA_MASTER, attribute::exactly<int>},    {IFLA_LINKINFO, attribute::nest},
    {IFLA_PROP_LIST, attribute::nest}};
constexpr AttributePolicy kind_policy = {{IFLA_INFO_KIND, attribute::string},
                                         {IFLA_INFO_SLAVE_KIND, attribute::string}};
constexpr AttributePolicy address_policy = {{IFA_ADDRESS, attribute::address},
                                            {IFA_LOCAL, attribute::address},
                                            {IFA_LABEL, attribute::string},
                                            {IFA_FLAGS, attribute::exactly<std::uint32_t>}};

std::optional<Address> address_of(const ifaddrmsg& header, const Attributes& attributes) {
  // IFA_ADDRESS is the peer's on a point-to-point IPv4 link; IPv6 knows IFA_LOCAL only there.
  const Bytes local = attributes.find(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS);
  const auto address = Address::from_bytes(local);
  if (!address || address->af() != header.ifa_family || header.ifa_prefixlen > address->bits()) return std::nullopt;
  return address;
}

/// The VRF of an interface: itself, or its master.
int vrf_of(int index, const Attributes& link) {
  const auto kind = Attributes::parse(link.find(IFLA_LINKINFO), kind_policy);
  if (!kind) return 0;
  if (kind->text(IFLA_INFO_KIND) == "vrf") return index;
  return kind->text(IFLA_INFO_SLAVE_KIND) == "vrf" ? link.get<int>(IFLA_MASTER).value_or(0) : 0;
}

}  // namespace

std::optional<Interface> read_interface(const NetlinkMessage& message) {
  const auto header = message.header<ifinfomsg>();
  if (message.type != RTM_NEWLINK || !header) return std::nullopt;
  const auto attributes = Attributes::parse(message.after(sizeof *header), link_policy);
  if (!attributes) return std::nullopt;
  // The lower interface of one end of a veth pair, or of what came from another namespace, is not here.
  const bool elsewhere = attributes->has(IFLA_LINK_NETNSID);
  Interface interface{.index = header->ifi_index,
                      .name = std::string(attributes->text(IFLA_IFNAME).value_or("")),
                      .lower_index = elsewhere ? 0 : attributes->get<int>(IFLA_LINK).value_or(0),
                      .vrf_index = vrf_of(header->ifi_index, *attributes),
                      .up = (header->ifi_flags & IFF_UP) != 0 && (header->ifi_flags & IFF_RUNNING) != 0,
                      .mac = {},
                      .addresses = {},
                      .altnames = texts_in(attributes->find(IFLA_PROP_LIST), IFLA_ALT_IFNAME)};
  if (header->ifi_type == ARPHRD_ETHER) interface.mac = attributes->get<Mac>(IFLA_ADDRESS);
  return interface;
}

KernelLinks::KernelLinks(Loop& loop, Netlink monitor, Netlink dumps, OnChange on_change)
    : loop_(loop), monitor_(std::move(monitor)), dumps_(std::move(dumps)), on_change_(std::move(on_change)) {}

KernelLinks::~KernelLinks() {
  loop_.unwatch(watch_);
  loop_.cancel(retry_timer_);
}

Result<std::unique_ptr<Links>> KernelLinks::follow(Loop& loop, OnChange on_change) {
  auto monitor = Netlink::open(NETLINK_ROUTE);
  if (!monitor) return std::unexpected(monitor.error());
  auto dumps = Netlink::open(NETLINK_ROUTE);
  if (!dumps) return std::unexpected(dumps.error());
  for (const int group : groups) {
    if (auto joined = monitor->join(group); !joined) return std::unexpected(joined.error());
  }
  std::unique_ptr<KernelLinks> links(
      new KernelLinks(loop, std::move(*monitor), std::move(*dumps), std::move(on_change)));
  if (auto read = links->read_all(); !read) return std::unexpected(read.error());
  auto watch = loop.watch(links->monitor_.fd(), EPOLLIN, [self = links.get()](std::uint32_t) { self->on_ready(); });
  if (!watch) return std::unexpected(watch.error());
  links->watch_ = *watch;
  return links;
}

Result<> KernelLinks::read_all() {
  interfaces_.clear();
  if (auto links = dump(RTM_GETLINK); !links) return links;
  return dump(RTM_GETADDR);
}

Result<> KernelLinks::dump(std::uint16_t type) {
  NetlinkBatch request;
  if (type == RTM_GETLINK) {
    request.begin(type, NLM_F_DUMP, ifinfomsg{});
  } else {
    request.begin(type, NLM_F_DUMP, ifaddrmsg{});
  }
  // An interrupted dump needs no forgetting: each message replaces what it is about, and what vanished meanwhile is in
  // the notifications that follow.
  auto dumped = dumps_.dump(request, [this](const NetlinkMessage& message) { on_message(message); }, [] {});
  if (!dumped) dumped.error().message = "read the network interfaces: " + dumped.error().message;
  return dumped;
}

void KernelLinks::on_ready() {
  const auto before = interfaces_;
  const auto received = monitor_.receive([this](const NetlinkMessage& message) { on_message(message); });
  tell(before);
  if (!received) read_anew();
}

/// Notifications were lost. Should reading anew fail too, what is known stays until the next try.
void KernelLinks::read_anew() {
  loop_.cancel(std::exchange(retry_timer_, 0));
  auto before = interfaces_;
  if (!read_all()) {
    interfaces_ = std::move(before);
    retry_timer_ = loop_.after(reread_delay, [this] { read_anew(); });
    return;
  }
  tell(before);
}

void KernelLinks::on_message(const NetlinkMessage& message) {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return on_link(message);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return on_address(message);
    default:
      return;
  }
}

void KernelLinks::on_link(const NetlinkMessage& message) {
  const auto header = message.header<ifinfomsg>();
  if (!header || header->ifi_family != AF_UNSPEC) return;  // a bridge tells of its ports with AF_BRIDGE
  if (message.type == RTM_DELLINK) {
    interfaces_.erase(header->ifi_index);
    return;
  }
  auto read = read_interface(message);
  if (!read) return;
  Interface& interface = interfaces_[read->index];
  read->addresses = std::move(interface.addresses);
  interface = std::move(*read);
}

void KernelLinks::on_address(const NetlinkMessage& message) {
  const auto header = message.header<ifaddrmsg>();
  if (!header) return;
  const auto attributes = Attributes::parse(message.after(sizeof *header), address_policy);
  if (!attributes) return;
  const auto interface = interfaces_.find(static_cast<int>(header->ifa_index));
  const auto address = address_of(*header, *attributes);
  if (interface == interfaces_.end() || !address) return;

  const Prefix prefix{.address = *address, .length = header->ifa_prefixlen};
  auto& addresses = interface->second.addresses;
  const auto known = std::ranges::find(addresses, prefix, &InterfaceAddress::prefix);
  if (message.type == RTM_DELADDR) {
    if (known != addresses.end()) addresses.erase(known);
    return;
  }
  const std::uint32_t flags = attributes->get<std::uint32_t>(IFA_FLAGS).value_or(header->ifa_flags);
  const bool tentative = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
  InterfaceAddress& here = known == addresses.end() ? addresses.emplace_back() : *known;
  here = {.prefix = prefix,
          .label = std::string(attributes->text(IFA_LABEL).value_or("")),
          .scope = static_cast<Scope>(header->ifa_scope),
          .tentative = tentative};
}

void KernelLinks::tell(const std::map<int, Interface>& before) {
  for (const std::string& name : changed_names(before, interfaces_)) on_change_(name);
}

}  // namespace net
