#pragma once

#include <string>

#include "net/error.h"
#include "net/links.h"
#include "net/netlink.h"

namespace net {

/// macvlan interfaces: each on a lower interface, with an Ethernet address of its own.
class Macvlans {
 public:
  /// Error: no netlink socket.
  static Result<Macvlans> open();

  struct Spec {
    std::string name;
    int lower_index = 0;  ///< of the lower, Ethernet interface
    Mac mac{};
  };
  /// Makes one that is down, or finds it as an earlier process left it. It is in bridge mode, so that its lower
  /// interface hears multicast from the same address elsewhere, and gives itself no IPv6 address. Errors: EEXIST:
  /// another interface has its name; EOPNOTSUPP: the kernel has no macvlan.
  Result<Interface> make(const Spec& wanted);

  Result<> set_up(int index, bool up);

  /// Success too if it is gone.
  Result<> remove(int index);

 private:
  explicit Macvlans(Netlink netlink) : netlink_(std::move(netlink)) {}

  Result<Interface> find(const std::string& name);

  Netlink netlink_;
};

}  // namespace net
