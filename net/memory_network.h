#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/clock.h"
#include "net/leases.h"
#include "net/links.h"
#include "net/macvlans.h"
#include "net/memory_routes.h"
#include "net/routes.h"

namespace net {

/// An address of a MemoryHost.
struct MemoryAddress {
  InterfaceAddress shown;
  std::uint64_t serial = 0;  ///< greater than that of any that came before it
  bool secondary = false;    ///< of IPv4: another one of its subnet was there first
  bool prefix_route = true;
  std::optional<Leases::Lease> lease{};  ///< none: for ever

  [[nodiscard]] const Prefix& prefix() const { return shown.prefix; }
  [[nodiscard]] Instant until() const { return lease ? lease->since + lease->granted : Instant::max(); }
};

/// An interface of a MemoryHost.
struct MemoryInterface {
  int index = 0;
  std::string name;
  int lower_index = 0;
  std::optional<Mac> mac{};  ///< none: loopback
  bool enabled = false;      ///< administratively up
  std::vector<std::string> altnames{};
  bool cable = true;                  ///< plugged in; a macvlan has none of its own
  std::vector<MemoryAddress> ipv4{};  ///< both in the kernel's order
  std::vector<MemoryAddress> ipv6{};

  [[nodiscard]] std::vector<MemoryAddress>& of(Family family) { return family == Family::ipv4 ? ipv4 : ipv6; }
  [[nodiscard]] const std::vector<MemoryAddress>& of(Family family) const {
    return family == Family::ipv4 ? ipv4 : ipv6;
  }
  /// Whatever the length of its prefix.
  [[nodiscard]] bool has(const Address& address) const;
};

[[nodiscard]] bool is_loopback_ipv6(const Address& address);

/// By the address itself (RFC 4291 section 2.4, RFC 3879).
[[nodiscard]] Scope ipv6_scope(const Address& address);

/// What the kernel below a MemoryHost knows of its network, and how it changes: devinet.c, addrconf.c and what they do
/// to the routes. Errors are errno values, 0 is success. Time is the caller's, who calls expire() first.
class MemoryNetwork {
 public:
  /// Both must outlive it. It reads promote_secondaries there, and a new interface gets the settings of `default`.
  MemoryNetwork(const Clock& clock, std::map<std::string, std::string>& settings);

  /// See MemoryHost::set_forgets_prefix_routes().
  bool forgets_prefix_routes = true;

  [[nodiscard]] const std::map<int, MemoryInterface>& interfaces() const { return interfaces_; }
  [[nodiscard]] MemoryInterface* find(int index);
  [[nodiscard]] const MemoryInterface* find(int index) const;
  [[nodiscard]] MemoryInterface* find(const std::string& name);
  /// Administratively up, with a carrier.
  [[nodiscard]] bool is_up(const MemoryInterface& interface) const;
  /// Its cable: its own, or that of the interface which it stands on.
  [[nodiscard]] bool has_carrier(const MemoryInterface& interface) const;

  MemoryInterface& add_interface(const std::string& name, std::optional<Mac> mac, int lower_index = 0);
  int make_macvlan(const Macvlans::Spec& wanted);
  int set_up(int index, bool up);
  int remove_interface(int index);

  /// The permanent address of an administrator. Error EEXIST: it is there.
  int add_address(int index, const Prefix& prefix, Scope scope = Scope::global);
  int lease_address(const Leases::Request& request, std::chrono::seconds lease);
  int drop_address(int index, const Prefix& prefix);
  [[nodiscard]] const MemoryAddress* find_address(int index, const Prefix& prefix) const;
  /// Whether any interface has it.
  [[nodiscard]] bool is_own(const Address& address) const;

  int add_route(MemoryRoute route, MemoryRoutes::Place place);
  int drop_route(const RouteEntry& route);
  /// Its error is an errno value.
  std::expected<Route, int> route_to(const Address& address) const;
  /// Those of our protocol, as RouteTable::own reads them.
  [[nodiscard]] std::vector<RouteEntry> own_routes() const;

  /// Whether anything was taken away because its time is over.
  bool expire();
  [[nodiscard]] std::optional<Instant> next_expiry() const;

 private:
  int add_ipv4(MemoryInterface& interface, MemoryAddress address);
  int add_ipv6(MemoryInterface& interface, MemoryAddress address);
  void renew_ipv6(MemoryInterface& interface, MemoryAddress& address, const MemoryAddress& wanted);
  void remove_ipv4(MemoryInterface& interface, std::size_t at);
  void take_ipv4(MemoryInterface& interface, std::size_t at);
  void remove_ipv6(MemoryInterface& interface, std::size_t at);
  void clean_prefix_route(const MemoryInterface& interface, const MemoryAddress& gone);
  void add_prefix_route(const MemoryInterface& interface, const MemoryAddress& address);
  /// Whether it is the one that comes with this IPv6 address.
  static bool is_prefix_route(const MemoryRoute& route, const MemoryInterface& interface, const MemoryAddress& address);
  [[nodiscard]] bool promotes(const MemoryInterface& interface) const;
  void derive_ipv4_routes(const MemoryInterface& interface);
  void forget_ipv4_source(const Address& address);
  [[nodiscard]] bool has_local_route(const MemoryInterface& interface, const Address& to, const Address& source) const;
  /// The first of an IPv4 address's subnet: itself, if it is none of those that came later.
  static const MemoryAddress& primary_of(const MemoryInterface& interface, const MemoryAddress& address);
  static std::vector<MemoryRoute> ipv4_routes_of(const MemoryInterface& interface);
  int resolve_ipv4(RouteEntry& route) const;
  int resolve_ipv6(RouteEntry& route) const;
  [[nodiscard]] bool is_local_ipv4(const Address& address) const;

  const Clock& clock_;
  std::map<std::string, std::string>& settings_;
  std::map<int, MemoryInterface> interfaces_;
  MemoryRoutes routes_;
  int next_index_ = 1;
  std::uint64_t next_serial_ = 1;
};

}  // namespace net
