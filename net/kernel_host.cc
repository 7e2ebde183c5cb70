#include "net/kernel_host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "net/check.h"
#include "net/fd.h"
#include "net/file.h"
#include "net/kernel_links.h"
#include "net/kernel_socket.h"

namespace net {

KernelHost::KernelHost(std::filesystem::path settings) : settings_(std::move(settings)) {}

Result<> KernelHost::open() {
  if (sockets_) return {};
  auto leases = Leases::open();
  if (!leases) return std::unexpected(leases.error());
  auto routes = RouteTable::open();
  if (!routes) return std::unexpected(routes.error());
  auto macvlans = Macvlans::open();
  if (!macvlans) return std::unexpected(macvlans.error());
  auto announcer = Announcer::open();
  if (!announcer) return std::unexpected(announcer.error());
  sockets_.emplace(std::move(*leases), std::move(*routes), std::move(*macvlans), std::move(*announcer));
  return {};
}

KernelHost::Sockets& KernelHost::sockets() {
  check(sockets_.has_value(), "a host is opened before it is changed");
  return *sockets_;
}

Result<std::unique_ptr<Links>> KernelHost::follow_links(Loop& loop, Links::OnChange on_change) {
  return KernelLinks::follow(loop, std::move(on_change));
}

Result<> KernelHost::lease_address(const Leases::Request& request, std::chrono::seconds lease) {
  return sockets().leases.set(request, lease);
}

Result<std::optional<Leases::Lease>> KernelHost::find_address(int interface_index, const Prefix& prefix) {
  return sockets().leases.find(interface_index, prefix);
}

Result<> KernelHost::drop_address(int interface_index, const Prefix& prefix) {
  return sockets().leases.drop(interface_index, prefix);
}

Result<> KernelHost::set_route(const RouteEntry& route, std::chrono::seconds lease) {
  return sockets().routes.set(route, lease);
}

Result<> KernelHost::drop_route(const RouteEntry& route) { return sockets().routes.drop(route); }

Result<std::vector<RouteEntry>> KernelHost::own_routes() { return sockets().routes.own(); }

Result<> KernelHost::open_routing() {
  if (routing_) return {};
  auto netlink = Netlink::open(NETLINK_ROUTE);
  if (!netlink) return std::unexpected(netlink.error());
  routing_ = std::move(*netlink);
  return {};
}

Result<Route> KernelHost::route_to(const Address& address) {
  if (auto opened = open_routing(); !opened) return std::unexpected(opened.error());
  return net::route_to(*routing_, address);
}

Result<Interface> KernelHost::make_macvlan(const Macvlans::Spec& wanted) { return sockets().macvlans.make(wanted); }

Result<> KernelHost::set_up(int interface_index, bool up) { return sockets().macvlans.set_up(interface_index, up); }

Result<> KernelHost::remove_interface(int interface_index) { return sockets().macvlans.remove(interface_index); }

Result<> KernelHost::announce(const Interface& interface, const Address& address) {
  return sockets().announcer.announce(interface, address);
}

Result<std::string> KernelHost::read_setting(const std::string& name) {
  constexpr std::size_t most = 4096;
  auto file = read_file(settings_ / name, most);
  if (!file) return std::unexpected(to_error(file.error(), fmt::format("read the setting {}", name), most));
  file->text.erase(file->text.find_last_not_of(" \n") + 1);
  return std::move(file->text);
}

Result<> KernelHost::write_setting(const std::string& name, const std::string& value) {
  const auto fail = [&] { return system_error(errno, fmt::format("set {} to {}", name, value)); };
  const Fd file(::open((settings_ / name).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) < 0) return fail();
  return {};
}

Result<> KernelHost::may_open_socket(const RawSocket::Spec& wanted) { return may_open_kernel_socket(wanted); }

Result<std::unique_ptr<RawSocket>> KernelHost::open_socket(Loop& loop, const RawSocket::Spec& wanted,
                                                           RawSocket::OnReady on_ready) {
  return open_kernel_socket(loop, wanted, std::move(on_ready));
}

}  // namespace net
