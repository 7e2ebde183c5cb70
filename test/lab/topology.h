#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/time.h"
#include "test/lab/namespace.h"
#include "test/lab/rtnetlink.h"

namespace lab {

/// "192.168.56.10" -> an address, "192.168.56.10/24" -> an address on a network; a mistake in one throws.
net::Address address(std::string_view text);
net::Prefix prefix(std::string_view text);

/// A host of the topology: a network namespace with a name. Its addresses are stable: references to it stay good.
struct Host {
  std::string name;
  Namespace network;
  Rtnetlink rtnetlink{network};

  explicit Host(std::string host_name);

  /// Writes /proc/sys/net/<key> of this host: sysctl("ipv4/ip_forward", "1").
  void sysctl(const std::string& key, std::string_view value) const;

  /// Whether an address is this host's own at this moment.
  [[nodiscard]] bool holds(const net::Address& address) const;

  /// The text of /proc/net/<file> as this host sees it.
  [[nodiscard]] std::string proc_net(const std::string& file) const;
};

/// Hosts joined by networks (bridges). A host's interface is one end of a veth pair; the other end is a port of the
/// network's bridge. All of it vanishes with this object and the processes started in it.
class Topology {
 public:
  /// A network that exists for the life of the topology; names are at most 7 bytes, as hosts' are.
  void add_network(const std::string& name);

  /// A host with `lo` up and nothing else. IPVS answers there: its namespace has tables of its own.
  Host& add_host(const std::string& name);

  /// Plugs a new interface of a host into a network, up, with these addresses.
  void connect(Host& host, const std::string& network, const std::string& interface,
               const std::vector<std::string>& prefixes);

  /// The cable is pulled: both ends lose their carrier. restore_carrier plugs it in again.
  void cut(const Host& host, const std::string& network) { switch_.set_up(port(host, network), false); }
  void restore(const Host& host, const std::string& network) { switch_.set_up(port(host, network), true); }

  /// Silently unplugged: the carrier stays, but nothing passes.
  void unplug(const Host& host, const std::string& network) { switch_.set_master(port(host, network), ""); }
  void plug_in(const Host& host, const std::string& network) { switch_.set_master(port(host, network), network); }

  [[nodiscard]] const std::deque<Host>& hosts() const { return hosts_; }

 private:
  static std::string port(const Host& host, const std::string& network) { return host.name + "." + network; }

  Namespace switch_namespace_;
  Rtnetlink switch_{switch_namespace_};
  std::deque<Host> hosts_;
};

}  // namespace lab
