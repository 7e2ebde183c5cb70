#include "test/lab/rtnetlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cstring>
#include <stdexcept>

namespace lab {

namespace {

constexpr std::uint16_t create = NLM_F_CREATE | NLM_F_EXCL;

/// The link with this index (0: named by an attribute), to be set up or down, or left as it is.
enum class Turn { up, down, nothing };
ifinfomsg link_header(int index, Turn turn) {
  ifinfomsg header{};
  header.ifi_index = index;
  header.ifi_flags = turn == Turn::up ? unsigned{IFF_UP} : 0U;
  header.ifi_change = turn == Turn::nothing ? 0U : unsigned{IFF_UP};
  return header;
}

net::Netlink open_in(const Namespace& there) {
  const Within within(there);
  auto socket = net::Netlink::open(NETLINK_ROUTE);
  if (!socket) throw std::runtime_error(socket.error().message);
  return std::move(*socket);
}

}  // namespace

Rtnetlink::Rtnetlink(const Namespace& there) : socket_(open_in(there)) {}

void Rtnetlink::request(net::NetlinkBatch& batch, const std::string& doing) {
  if (const auto done = socket_.request(batch); !done) throw std::runtime_error(doing + ": " + done.error().message);
}

int Rtnetlink::index_of(const std::string& link) const {
  ifreq request{};
  std::strncpy(request.ifr_name, link.c_str(), IFNAMSIZ - 1);
  must(ioctl(socket_.fd(), SIOCGIFINDEX, &request), "find link " + link);
  return request.ifr_ifindex;
}

void Rtnetlink::add_bridge(const std::string& name) {
  net::NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, create, link_header(0, Turn::up));
  batch.put_text(IFLA_IFNAME, name);
  const auto info = batch.begin_nest(IFLA_LINKINFO);
  batch.put_text(IFLA_INFO_KIND, "bridge");
  batch.end_nest(info);
  request(batch, "add bridge " + name);
}

void Rtnetlink::add_veth(const std::string& name, const std::string& peer, const Namespace& peer_namespace) {
  net::NetlinkBatch other;  // the peer is described by a link message of its own, without its netlink header
  other.begin(RTM_NEWLINK, 0, link_header(0, Turn::nothing));  // up before it has its peer is ENOTCONN
  other.put_text(IFLA_IFNAME, peer);
  other.put(IFLA_NET_NS_FD, peer_namespace.fd());

  net::NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, create, link_header(0, Turn::up));
  batch.put_text(IFLA_IFNAME, name);
  const auto info = batch.begin_nest(IFLA_LINKINFO);
  batch.put_text(IFLA_INFO_KIND, "veth");
  const auto data = batch.begin_nest(IFLA_INFO_DATA);
  batch.put(VETH_INFO_PEER, net::Bytes(other.message(0).subspan(NLMSG_HDRLEN)));
  batch.end_nest(data);
  batch.end_nest(info);
  request(batch, "add veth " + name);
}

void Rtnetlink::set_up(const std::string& link, bool up) {
  net::NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, 0, link_header(index_of(link), up ? Turn::up : Turn::down));
  request(batch, "set link " + link + (up ? " up" : " down"));
}

void Rtnetlink::set_master(const std::string& link, const std::string& master) {
  net::NetlinkBatch batch;
  batch.begin(RTM_NEWLINK, 0, link_header(index_of(link), Turn::nothing));
  batch.put(IFLA_MASTER, master.empty() ? 0 : index_of(master));
  request(batch, "set master of " + link + " to '" + master + "'");
}

void Rtnetlink::add_address(const std::string& link, const net::Prefix& address) {
  ifaddrmsg header{};
  header.ifa_family = static_cast<std::uint8_t>(address.address.af());
  header.ifa_prefixlen = address.length;
  header.ifa_flags = address.address.is_v6() ? IFA_F_NODAD : 0;
  header.ifa_index = static_cast<std::uint32_t>(index_of(link));
  net::NetlinkBatch batch;
  batch.begin(RTM_NEWADDR, create, header);
  batch.put(IFA_LOCAL, address.address.bytes());
  batch.put(IFA_ADDRESS, address.address.bytes());
  request(batch, "add " + to_string(address) + " to " + link);
}

void Rtnetlink::add_default_route(const net::Address& gateway) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(gateway.af());
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  net::NetlinkBatch batch;
  batch.begin(RTM_NEWROUTE, create, header);
  batch.put(RTA_GATEWAY, gateway.bytes());
  request(batch, "add a default route by " + to_string(gateway));
}

}  // namespace lab
