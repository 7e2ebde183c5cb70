#include "net/memory_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "net/check.h"
#include "net/memory_state.h"

namespace net {

namespace {

constexpr std::uint8_t administrators_own = 3;  // RTPROT_BOOT

constexpr auto settings_of_each = {"net/ipv4/conf/{}/accept_local",        "net/ipv4/conf/{}/arp_announce",
                                   "net/ipv4/conf/{}/arp_ignore",          "net/ipv4/conf/{}/forwarding",
                                   "net/ipv4/conf/{}/promote_secondaries", "net/ipv4/conf/{}/rp_filter",
                                   "net/ipv6/conf/{}/accept_ra",           "net/ipv6/conf/{}/forwarding"};

std::string about(std::string_view doing, const Prefix& prefix) {
  return fmt::format("{} {}", doing, to_string(prefix));
}

Result<> answer(int code, const std::string& doing) {
  if (code == 0) return {};
  return system_error(code, doing);
}

/// As proc_dointvec reads it.
bool is_number(const std::string& text) {
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc() && read.ptr == text.data() + text.size();
}

}  // namespace

MemoryHost::MemoryHost(const Clock& clock)
    : state_(std::make_unique<State>(State{.clock = clock, .network = MemoryNetwork(clock, settings)})) {
  for (const auto* setting : settings_of_each) {
    for (const auto* whose : {"all", "default"}) settings.emplace(fmt::format(fmt::runtime(setting), whose), "0");
  }
  for (const auto* whose : {"all", "default"}) settings[fmt::format("net/ipv6/conf/{}/accept_ra", whose)] = "1";
  settings["net/ipv4/ip_forward"] = "0";
  const int lo = network().add_interface("lo", std::nullopt).index;
  network().set_up(lo, true);
  network().add_address(lo, Prefix::parse("127.0.0.1/8").value(), Scope::host);
  network().add_address(lo, Prefix::parse("::1/128").value());
}

MemoryHost::~MemoryHost() {
  check(state_->followers.empty() && state_->sockets.empty(), "a host outlives its followers and sockets");
}

MemoryNetwork& MemoryHost::network() { return state_->network; }

void MemoryHost::notify() {
  for (MemoryLinks* follower : state_->followers) follower->notify();
}

Result<> MemoryHost::change(const std::function<int()>& doing, const std::string& what) {
  expire();
  const int code = doing();
  if (code == 0) notify();
  return answer(code, what);
}

Result<> MemoryHost::with_injected_errors(const std::function<int()>& doing, const std::string& what) {
  if (injected_errors.empty()) return change(doing, what);
  const int code = injected_errors.front();
  injected_errors.erase(injected_errors.begin());
  return answer(code, what);
}

Result<> MemoryHost::open() { return {}; }

Result<std::unique_ptr<Links>> MemoryHost::follow_links(Loop& loop, Links::OnChange on_change) {
  expire();
  auto& followers = state_->followers;
  auto links = MemoryLinks::follow(loop,
                                   {.network = network(),
                                    .refresh = [this] { expire(); },
                                    .on_close = [&](const MemoryLinks& gone) { std::erase(followers, &gone); }},
                                   std::move(on_change));
  if (!links) return std::unexpected(links.error());
  followers.push_back(links->get());
  return std::move(*links);
}

Result<> MemoryHost::lease_address(const Leases::Request& request, std::chrono::seconds lease) {
  return with_injected_errors([&] { return network().lease_address(request, lease); },
                              about("set the address", request.prefix));
}

Result<std::optional<Leases::Lease>> MemoryHost::find_address(int interface_index, const Prefix& prefix) {
  expire();
  const MemoryAddress* found = network().find_address(interface_index, prefix);
  return found != nullptr ? found->lease : std::nullopt;
}

Result<> MemoryHost::drop_address(int interface_index, const Prefix& prefix) {
  const auto drop = [&] {
    const int code = network().drop_address(interface_index, prefix);
    return code == EADDRNOTAVAIL || code == ENODEV ? 0 : code;
  };
  return change(drop, about("remove the address", prefix));
}

Result<> MemoryHost::set_route(const RouteEntry& route, std::chrono::seconds lease) {
  const auto add = [&] {
    MemoryRoute own{.entry = route};
    const bool v6 = route.to.address.is_v6();
    if (v6) own.until = state_->clock.now() + lease;
    const int code = network().add_route(own, v6 ? MemoryRoutes::Place::last : MemoryRoutes::Place::first);
    return code == EEXIST ? 0 : code;
  };
  return with_injected_errors(add, about("set the route to", route.to));
}

Result<> MemoryHost::drop_route(const RouteEntry& route) {
  const auto drop = [&] {
    const int code = network().drop_route(route);
    return code == ESRCH || code == ENODEV ? 0 : code;
  };
  return change(drop, about("remove the route to", route.to));
}

Result<std::vector<RouteEntry>> MemoryHost::own_routes() {
  expire();
  return network().own_routes();
}

Result<Route> MemoryHost::route_to(const Address& address) {
  expire();
  const auto route = network().route_to(address);
  if (!route) return system_error(route.error(), "find the route to " + to_string(address));
  return *route;
}

Result<Interface> MemoryHost::make_macvlan(const Macvlans::Spec& wanted) {
  auto made = change([&] { return network().make_macvlan(wanted); }, "create the interface " + wanted.name);
  if (!made) return std::unexpected(made.error());
  const MemoryInterface& found = *network().find(wanted.name);
  return Interface{.index = found.index,
                   .name = found.name,
                   .lower_index = found.lower_index,
                   .up = network().is_up(found),
                   .mac = found.mac,
                   .addresses = {},
                   .altnames = found.altnames};
}

Result<> MemoryHost::set_up(int interface_index, bool up) {
  return change([&] { return network().set_up(interface_index, up); }, "set an interface up or down");
}

Result<> MemoryHost::remove_interface(int interface_index) {
  const auto remove = [&] {
    const int code = network().remove_interface(interface_index);
    return code == ENODEV ? 0 : code;
  };
  return change(remove, "remove an interface");
}

Result<> MemoryHost::announce(const Interface& interface, const Address& address) {
  expire();
  if (!interface.mac) return {};
  const MemoryInterface* found = network().find(interface.index);
  const int code = found == nullptr ? ENXIO : found->enabled ? 0 : ENETDOWN;
  if (code == 0 && network().is_up(*found)) {
    announcements.push_back({.at = state_->clock.now(), .interface = found->name, .address = address});
  }
  return answer(code, "announce an address on " + interface.name);
}

Result<std::string> MemoryHost::read_setting(const std::string& name) {
  const auto found = settings.find(name);
  if (found == settings.end()) return system_error(ENOENT, "read the setting " + name);
  return found->second;
}

Result<> MemoryHost::write_setting(const std::string& name, const std::string& value) {
  const auto found = settings.find(name);
  const int code = found == settings.end() ? ENOENT : is_number(found->second) && !is_number(value) ? EINVAL : 0;
  if (code == 0) found->second = value;
  return answer(code, fmt::format("set {} to {}", name, value));
}

void MemoryHost::add_altname(const std::string& name, const std::string& altname) {
  must_exist(network().find(name), "the interface is there").altnames.push_back(altname);
  notify();
}

int MemoryHost::add_interface(const std::string& name, const Mac& mac) {
  expire();
  const int index = network().add_interface(name, mac).index;
  network().set_up(index, true);
  notify();
  return index;
}

void MemoryHost::set_carrier(const std::string& interface, bool carrier) {
  expire();
  must_exist(network().find(interface), "the interface is there").cable = carrier;
  notify();
}

void MemoryHost::set_mac(const std::string& interface, const Mac& mac) {
  expire();
  must_exist(network().find(interface), "the interface is there").mac = mac;
  notify();
}

Result<> MemoryHost::add_address(const std::string& interface, const Prefix& prefix) {
  const MemoryInterface* found = network().find(interface);
  const int index = found != nullptr ? found->index : 0;
  return change([&] { return network().add_address(index, prefix); },
                fmt::format("add {} to {}", to_string(prefix), interface));
}

void MemoryHost::set_forgets_prefix_routes(bool forgets) { network().forgets_prefix_routes = forgets; }

Result<> MemoryHost::set_default_route(const Address& via) {
  const MemoryRoute route{.entry = {.to = {.address = Address::any(via.family()), .length = 0}, .via = via},
                          .protocol = administrators_own};
  return change([&] { return network().add_route(route, MemoryRoutes::Place::alone); },
                "add a default route by " + to_string(via));
}

void MemoryHost::expire() {
  if (network().expire()) notify();
}

std::optional<Instant> MemoryHost::next_expiry() const { return state_->network.next_expiry(); }

std::set<std::pair<std::string, Prefix>> MemoryHost::addresses() {
  expire();
  std::set<std::pair<std::string, Prefix>> all;
  for (const auto& [index, interface] : network().interfaces()) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      for (const MemoryAddress& address : interface.of(family)) all.emplace(interface.name, address.prefix());
    }
  }
  return all;
}

}  // namespace net
