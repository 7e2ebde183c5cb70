#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "net/clock.h"
#include "net/host.h"

namespace net {

class MemoryNetwork;

/// A host in memory that answers as the kernel does: the same errors for the same calls, the same interfaces, addresses
/// and routes afterwards, and a notification of each change, on the loop of whoever follows it. For tests and
/// simulations, which are the rest of its world: they plug its interfaces, carry its packets and let time pass. The
/// same calls give the same answers in the same order.
///
/// Unlike the kernel's, its leases are over when their time is, not some hundredths of a second after, and of an IPv6
/// route nothing is left then. What the kernel has of IPv6 link-local addresses by itself, it does not.
class MemoryHost final : public Host {
 public:
  /// `clock` must outlive the host, and the host what it makes. It begins with `lo`, up, with 127.0.0.1/8 and ::1/128.
  explicit MemoryHost(const Clock& clock);
  ~MemoryHost() override;
  MemoryHost(const MemoryHost&) = delete;
  MemoryHost& operator=(const MemoryHost&) = delete;

  Result<> open() override;
  Result<std::unique_ptr<Links>> follow_links(Loop& loop, Links::OnChange on_change) override;
  Result<> lease_address(const Leases::Request& request, std::chrono::seconds lease) override;
  Result<std::optional<Leases::Lease>> find_address(int interface_index, const Prefix& prefix) override;
  Result<> drop_address(int interface_index, const Prefix& prefix) override;
  Result<> set_route(const RouteEntry& route, std::chrono::seconds lease) override;
  Result<> drop_route(const RouteEntry& route) override;
  Result<std::vector<RouteEntry>> own_routes() override;
  Result<> open_routing() override { return {}; }
  Result<Route> route_to(const Address& address) override;
  Result<Interface> make_macvlan(const Macvlans::Spec& wanted) override;
  Result<> set_up(int interface_index, bool up) override;
  Result<> remove_interface(int interface_index) override;
  Result<> announce(const Interface& interface, const Address& address) override;
  Result<std::string> read_setting(const std::string& name) override;
  Result<> write_setting(const std::string& name, const std::string& value) override;
  Result<> may_open_socket(const RawSocket::Spec& wanted) override;
  Result<std::unique_ptr<RawSocket>> open_socket(Loop& loop, const RawSocket::Spec& wanted,
                                                 RawSocket::OnReady on_ready) override;

  // What its administrator does.
  /// An Ethernet interface, up and with a carrier; its index.
  int add_interface(const std::string& name, const Mac& mac);
  /// A further name of one that is there: `ip link property add dev NAME altname ALTNAME`.
  void add_altname(const std::string& name, const std::string& altname);
  void set_carrier(const std::string& interface, bool carrier);
  void set_mac(const std::string& interface, const Mac& mac);
  /// A permanent address.
  Result<> add_address(const std::string& interface, const Prefix& prefix);
  /// Whether a permanent IPv6 address that is given a lifetime loses the route of its prefix until the next renewal, as
  /// in Linux 6.1, which takes that lifetime for a point in time; Linux 6.12 does not. True unless set.
  void set_forgets_prefix_routes(bool forgets);

  /// An IPv4 or IPv6 default route.
  Result<> set_default_route(const Address& via);
  /// Kernel settings by their names below /proc/sys: what is not here, the kernel does not have. An interface that
  /// comes gets those of net/ipv4/conf/default and net/ipv6/conf/default.
  std::map<std::string, std::string> settings;

  // How time passes for it.
  /// Takes away addresses and routes whose time is over. Whatever looks at the host does the same.
  void expire();
  /// When the next one is over; nothing if none ever is.
  [[nodiscard]] std::optional<Instant> next_expiry() const;

  // How packets travel.
  /// Called with each packet that leaves by an interface which is up and has a carrier, from within send(). What leaves
  /// by a macvlan leaves by its lower interface.
  std::function<void(const std::string& interface, const RawSocket::Packet& packet)> on_send;
  /// A packet has arrived on an interface, and on the macvlans that stand on it: whatever socket is to hear it does, in
  /// its loop's next turn. A packet that the host itself has sent is not to be brought back.
  void deliver(const std::string& interface, const RawSocket::Packet& packet);

  struct Announcement {
    Instant at;
    std::string interface;
    Address address;
  };
  std::vector<Announcement> announcements;  ///< that left by an interface with a carrier, until somebody clears them

  /// Every address that is here now, by interface.
  [[nodiscard]] std::set<std::pair<std::string, Prefix>> addresses();

  /// What refuses the coming changes, in order, each used up by one call of lease_address(), set_route() or send(): an
  /// errno.
  std::vector<int> injected_errors;

 private:
  struct State;

  MemoryNetwork& network();
  void notify();
  /// Does what answers with an errno, and tells the followers unless it is refused.
  Result<> change(const std::function<int()>& doing, const std::string& what);
  /// The same for what `injected_errors` may refuse.
  Result<> with_injected_errors(const std::function<int()>& doing, const std::string& what);
  Result<> send(const RawSocket::Spec& wanted, const RawSocket::Packet& packet);

  /// Whether a socket has joined the group on that interface.
  [[nodiscard]] bool has_joined(int interface_index, const Address& group) const;

  std::unique_ptr<State> state_;
};

}  // namespace net
