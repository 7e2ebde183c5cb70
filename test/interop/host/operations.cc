#include "test/interop/host/operations.h"

#include <fmt/format.h>

#include <cstring>

using namespace std::chrono_literals;

namespace {

template <class T>
std::string answer(const net::Result<T>& result, const std::string& done = "done") {
  return result ? done : fmt::format("refused: {}", strerrordesc_np(result.error().code));
}

std::string text(const std::optional<net::Address>& address) { return address ? to_string(*address) : "none"; }

net::Mac mac(int last) {
  return {std::byte{0}, std::byte{0}, std::byte{0x5e}, std::byte{0}, std::byte{1}, static_cast<std::byte>(last)};
}

}  // namespace

Operation Operations::next() {
  switch (below(25)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return lease_address();
    case 5:
    case 6:
    case 7:
      return drop_address();
    case 8:
    case 9:
      return add_address();
    case 10:
      return find_address();
    case 11:
    case 12:
    case 13:
      return set_route();
    case 14:
      return drop_route();
    case 15:
      return add_default_route();
    case 16:
    case 17:
    case 18:
      return route_to();
    case 19:
      return set_carrier();
    case 20:
    case 21:
      return set_up();
    case 22:
      return make_macvlan();
    case 23:
      return chance(2) ? remove_macvlan() : change_setting();
    default:
      return change_setting();
  }
}

std::string Operations::interface() {
  return one_of<std::string>({"eth0", "eth0", "eth0", "eth1", "eth1", "mv1", "mv1", "mv2", "lo", "nosuch"});
}

net::Address Operations::ipv4() {
  if (chance(8)) return lab::address(one_of<std::string>({"192.0.2.7", "169.254.1.1", "127.0.0.1", "10.0.0.255"}));
  return lab::address(fmt::format("10.0.{}.{}", below(2), 1 + below(4)));
}

net::Address Operations::ipv6() {
  if (chance(10)) return lab::address(one_of<std::string>({"::1", "ff02::1", "::", "fd00::1", "2001:db8:ffff::1"}));
  if (chance(5)) return lab::address(fmt::format("fe80::{}", 1 + below(3)));
  return lab::address(fmt::format("2001:db8:{}::{}", below(2), 1 + below(4)));
}

net::Prefix Operations::prefix(const std::string& interface) {
  if (chance(3)) {
    const auto length = interface == "lo" ? 128 : one_of<int>({64, 64, 64, 48, 128});
    return {.address = ipv6(), .length = static_cast<std::uint8_t>(length)};
  }
  return {.address = ipv4(), .length = static_cast<std::uint8_t>(one_of<int>({24, 24, 24, 16, 31, 32}))};
}

Operation Operations::lease_address() {
  const std::string on = interface();
  net::Leases::Request request{.prefix = prefix(on), .prefix_route = !chance(4)};
  if (chance(4)) request.label = on + ":x";
  if (chance(5)) request.scope = one_of<net::Scope>({net::Scope::host, net::Scope::link, net::Scope::global});
  const auto lease = std::chrono::seconds(chance(20) ? 0 : 100 + below(100));
  return {fmt::format("hold {} on {} for {} s, route {}, label '{}', scope {}", to_string(request.prefix), on,
                      lease.count(), request.prefix_route, request.label,
                      request.scope ? to_string(*request.scope) : "none"),
          [=](Side& side) {
            auto there = request;
            there.interface_index = side.index_of(on);
            return answer(side.host().lease_address(there, lease));
          }};
}

Operation Operations::drop_address() {
  const std::string on = interface();
  const auto what = prefix(on);
  return {fmt::format("drop {} from {}", to_string(what), on),
          [=](Side& side) { return answer(side.host().drop_address(side.index_of(on), what)); }};
}

Operation Operations::add_address() {
  const std::string on = interface();
  const auto what = prefix(on);
  return {fmt::format("add {} to {}", to_string(what), on),
          [=](Side& side) { return side.add_address(on, what) ? "done" : "refused"; }};
}

Operation Operations::find_address() {
  const std::string on = interface();
  const auto what = prefix(on);
  return {fmt::format("find {} on {}", to_string(what), on), [=](Side& side) {
            const auto found = side.host().find_address(side.index_of(on), what);
            return answer(found, found && *found ? fmt::format("{} s", (*found)->granted.count()) : "nothing");
          }};
}

net::RouteEntry Operations::route(std::string& on) {
  on = one_of<std::string>({"eth0", "eth0", "eth1", "mv1", "nosuch"});
  const bool v4 = !chance(3);
  net::RouteEntry route;
  if (v4) {
    route.to = lab::prefix(one_of<std::string>({"198.51.100.0/24", "198.51.0.0/16", "0.0.0.0/0", "10.0.0.0/24",
                                                "10.0.0.3/32", "198.51.100.5/24", "198.51.100.5/32"}));
    route.scope = one_of<net::Scope>({net::Scope::global, net::Scope::global, net::Scope::link, net::Scope::host});
    route.metric = one_of<std::uint32_t>({0, 0, 10});
  } else {
    route.to = lab::prefix(one_of<std::string>(
        {"2001:db8:100::/48", "::/0", "2001:db8::/64", "2001:db8:100::5/128", "2001:db8:100::5/48"}));
    // One for each interface: see what is left out.
    route.metric = on == "eth0" ? one_of<std::uint32_t>({7, 8}) : on == "eth1" ? 9 : 10;
    if (on == "eth0" && route.to.length > 0) route.metric = one_of<std::uint32_t>({0, 7});
  }
  if (!chance(3)) route.via = v4 ? ipv4() : ipv6();
  if (chance(3)) route.source = v4 ? ipv4() : ipv6();
  if (route.source && route.source->is_any()) route.source.reset();
  if (chance(4)) route.table = 100;
  return route;
}

Operation Operations::set_route() {
  std::string on;
  const auto what = route(on);
  return {fmt::format("hold the route to {} via {} dev {} src {} table {} metric {} scope {}", to_string(what.to),
                      text(what.via), on, text(what.source), what.table, what.metric, to_string(what.scope)),
          [=](Side& side) {
            auto there = what;
            there.interface_index = side.index_of(on);
            return answer(side.host().set_route(there, 100s));
          }};
}

Operation Operations::drop_route() {
  std::string on;
  auto what = route(on);
  if (chance(2)) what.source.reset();
  if (chance(2)) what.via.reset();
  return {fmt::format("drop the route to {} via {} dev {} src {} table {} metric {} scope {}", to_string(what.to),
                      text(what.via), on, text(what.source), what.table, what.metric, to_string(what.scope)),
          [=](Side& side) {
            auto there = what;
            there.interface_index = side.index_of(on);
            return answer(side.host().drop_route(there));
          }};
}

Operation Operations::add_default_route() {
  const auto via = chance(3) ? ipv6() : ipv4();
  return {"add a default route via " + to_string(via),
          [=](Side& side) { return side.add_default_route(via) ? "done" : "refused"; }};
}

Operation Operations::route_to() {
  auto to = chance(3) ? ipv6() : ipv4();
  if (to.is_multicast() || to.is_any()) to = lab::address("2001:db8:100::7");
  if (chance(3)) {
    to = lab::address(one_of<std::string>({"198.51.100.5", "198.51.100.6", "198.51.7.7", "203.0.113.1", "127.0.0.9",
                                           "2001:db8:100::5", "2001:db8::99", "2001:db8:1::99", "fe80::99"}));
  }
  return {"find the route to " + to_string(to), [=](Side& side) {
            const auto route = side.host().route_to(to);
            return answer(route, !route ? ""
                                        : fmt::format("dev {} src {} {}", side.name_of(route->interface_index),
                                                      text(route->source), route->local ? "local" : "elsewhere"));
          }};
}

Operation Operations::set_carrier() {
  const auto of = one_of<std::string>({"eth0", "eth1"});
  const bool carrier = !chance(2);
  return {fmt::format("{} the cable of {}", carrier ? "plug in" : "pull", of), [=](Side& side) {
            side.set_carrier(of, carrier);
            return std::string("done");
          }};
}

Operation Operations::set_up() {
  const auto of = one_of<std::string>({"eth0", "eth1", "mv1", "mv1", "mv2", "mv2", "nosuch"});
  const bool up = !chance(3);
  return {fmt::format("set {} {}", of, up ? "up" : "down"),
          [=](Side& side) { return answer(side.host().set_up(side.index_of(of), up)); }};
}

Operation Operations::make_macvlan() {
  const auto name = one_of<std::string>({"mv1", "mv2", "mv1", "mv2", "eth1"});
  const auto lower = one_of<std::string>({"eth0", "eth0", "eth1", "lo", "nosuch"});
  const auto last = one_of<int>({1, 2});
  const auto address = chance(12) ? net::Mac{} : mac(last);
  return {fmt::format("make {} on {} with {:02x}", name, lower, fmt::join(address, ":")), [=](Side& side) {
            const auto made =
                side.host().make_macvlan({.name = name, .lower_index = side.index_of(lower), .mac = address});
            return answer(made, !made ? "" : fmt::format("{} {}", made->name, made->up ? "up" : "down"));
          }};
}

Operation Operations::remove_macvlan() {
  const auto name = one_of<std::string>({"mv1", "mv2", "lo", "nosuch"});
  return {"remove " + name, [=](Side& side) { return answer(side.host().remove_interface(side.index_of(name))); }};
}

Operation Operations::change_setting() {
  const auto whose = one_of<std::string>({"all", "eth0", "eth1", "mv1", "lo", "nosuch"});
  const auto what = one_of<std::string>({"promote_secondaries", "promote_secondaries", "arp_ignore", "rp_filter",
                                         "accept_local", "arp_announce", "no_such"});
  const auto name = fmt::format("net/ipv4/conf/{}/{}", whose, what);
  if (chance(4)) {
    return {"read " + name, [=](Side& side) {
              const auto value = side.host().read_setting(name);
              return answer(value, value ? *value : "");
            }};
  }
  const auto value = one_of<std::string>({"0", "0", "1", "1", "2", "x"});
  return {fmt::format("write {} to {}", value, name),
          [=](Side& side) { return answer(side.host().write_setting(name, value)); }};
}
