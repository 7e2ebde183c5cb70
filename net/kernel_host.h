#pragma once

#include <filesystem>
#include <optional>

#include "net/announce.h"
#include "net/host.h"
#include "net/netlink.h"

namespace net {

/// The host that this process runs on, in its network namespace.
class KernelHost final : public Host {
 public:
  /// `settings` is where the kernel's settings lie.
  explicit KernelHost(std::filesystem::path settings = "/proc/sys");

  Result<> open() override;
  Result<std::unique_ptr<Links>> follow_links(Loop& loop, Links::OnChange on_change) override;
  Result<> lease_address(const Leases::Request& request, std::chrono::seconds lease) override;
  Result<std::optional<Leases::Lease>> find_address(int interface_index, const Prefix& prefix) override;
  Result<> drop_address(int interface_index, const Prefix& prefix) override;
  Result<> set_route(const RouteEntry& route, std::chrono::seconds lease) override;
  Result<> drop_route(const RouteEntry& route) override;
  Result<std::vector<RouteEntry>> own_routes() override;
  Result<> open_routing() override;
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

 private:
  /// The sockets through which it changes the kernel's network.
  struct Sockets {
    Leases leases;
    RouteTable routes;
    Macvlans macvlans;
    Announcer announcer;
  };
  Sockets& sockets();

  std::filesystem::path settings_;
  std::optional<Sockets> sockets_;  ///< since open()
  std::optional<Netlink> routing_;  ///< since open_routing()
};

}  // namespace net
