#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/error.h"
#include "net/leases.h"
#include "net/links.h"
#include "net/loop.h"
#include "net/macvlans.h"
#include "net/raw_socket.h"
#include "net/route_table.h"
#include "net/routes.h"

namespace net {

/// The network of the host that this process runs on, as far as a director looks at it or changes it: the real one
/// (KernelHost) or one in memory (MemoryHost). A seam: test/interop/host_test holds both to the same answers.
///
/// Nothing here waits for anything but the kernel's own answer. Errors name what was done, and to what.
class Host {
 public:
  virtual ~Host() = default;

  /// Opens what it takes to change something, and to ask for leases and routes of our own; done once it has succeeded.
  /// Errors: EPERM: the process lacks CAP_NET_ADMIN or CAP_NET_RAW; no descriptors left.
  virtual Result<> open() = 0;

  /// The interfaces and their addresses, followed on `loop`: see Links.
  virtual Result<std::unique_ptr<Links>> follow_links(Loop& loop, Links::OnChange on_change) = 0;

  // Addresses with a lease; see Leases.
  virtual Result<> lease_address(const Leases::Request& request, std::chrono::seconds lease) = 0;
  virtual Result<std::optional<Leases::Lease>> find_address(int interface_index, const Prefix& prefix) = 0;
  virtual Result<> drop_address(int interface_index, const Prefix& prefix) = 0;

  // Routes of our own; see RouteTable.
  virtual Result<> set_route(const RouteEntry& route, std::chrono::seconds lease) = 0;
  virtual Result<> drop_route(const RouteEntry& route) = 0;
  virtual Result<std::vector<RouteEntry>> own_routes() = 0;

  /// Opens what route_to() asks through; once it has succeeded it is done. Error: no descriptors left.
  virtual Result<> open_routing() = 0;
  /// How packets to an address leave. Errors: ENETUNREACH and the like: there is no route; as open_routing().
  virtual Result<Route> route_to(const Address& address) = 0;

  // Interfaces with an Ethernet address of their own; see Macvlans.
  virtual Result<Interface> make_macvlan(const Macvlans::Spec& wanted) = 0;
  virtual Result<> set_up(int interface_index, bool up) = 0;
  virtual Result<> remove_interface(int interface_index) = 0;

  /// Tells the neighbours on a link that `address` has the interface's Ethernet address: gratuitous ARP, or an
  /// unsolicited neighbour advertisement. An interface without one has nobody to tell: success.
  virtual Result<> announce(const Interface& interface, const Address& address) = 0;

  // Kernel settings; see Sysctls, which remembers what was there.
  /// The value of `net/ipv4/conf/eth0/rp_filter` without its newline. Errors: ENOENT: the kernel has no such setting.
  virtual Result<std::string> read_setting(const std::string& name) = 0;
  /// Errors: ENOENT as above; EACCES, EROFS: this process may not; EINVAL: the kernel does not take the value.
  virtual Result<> write_setting(const std::string& name, const std::string& value) = 0;

  /// Whether this process may open such sockets at all. Error EPERM: it lacks CAP_NET_RAW.
  virtual Result<> may_open_socket(const RawSocket::Spec& wanted) = 0;

  /// `on_ready` is called on `loop`, which outlives the socket. Errors: EPERM: the process lacks CAP_NET_RAW; ENODEV:
  /// the interface is gone.
  virtual Result<std::unique_ptr<RawSocket>> open_socket(Loop& loop, const RawSocket::Spec& wanted,
                                                         RawSocket::OnReady on_ready) = 0;
};

}  // namespace net
