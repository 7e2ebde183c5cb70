#pragma once

#include <string>

#include "net/address.h"
#include "net/netlink.h"
#include "test/lab/namespace.h"

namespace lab {

/// The few words of rtnetlink that a topology needs, spoken in one namespace. Failures throw and name the object.
class Rtnetlink {
 public:
  explicit Rtnetlink(const Namespace& there);

  void add_bridge(const std::string& name);
  /// `name` here, `peer` in another namespace, which is down yet.
  void add_veth(const std::string& name, const std::string& peer, const Namespace& peer_namespace);
  void set_up(const std::string& link, bool up);
  /// An empty master means none.
  void set_master(const std::string& link, const std::string& master);
  void add_address(const std::string& link, const net::Prefix& address);
  void add_default_route(const net::Address& gateway);

 private:
  void request(net::NetlinkBatch& batch, const std::string& doing);
  [[nodiscard]] int index_of(const std::string& link) const;

  net::Netlink socket_;
};

}  // namespace lab
