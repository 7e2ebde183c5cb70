#include "test/interop/host/sides.h"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <stdexcept>

#include "test/catch.h"
#include "test/lab/process.h"

using namespace std::chrono_literals;

namespace {

std::string network_of(const std::string& interface) { return "n" + interface; }

std::string text(const net::InterfaceAddress& address) {
  return fmt::format(" {}({},{}{})", to_string(address.prefix), address.label, to_string(address.scope),
                     address.tentative ? ",tentative" : "");
}

bool succeeds(const std::function<void()>& doing) {
  try {
    doing();
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

}  // namespace

std::string Side::name_of(int index) {
  const auto named = [&](const std::string& name) { return index_of(name) == index; };
  const auto found = std::ranges::find_if(all_interfaces, named);
  return found == all_interfaces.end() ? "nothing" : *found;
}

std::string Side::routes() {
  const auto held = host().own_routes();
  if (!held) return held.error().message;
  std::vector<std::string> lines;
  for (const net::RouteEntry& route : *held) {
    lines.push_back(fmt::format("{} via {} dev {} src {} table {} metric {} scope {}", to_string(route.to),
                                route.via ? to_string(*route.via) : "none", name_of(route.interface_index),
                                route.source ? to_string(*route.source) : "none", route.table, route.metric,
                                to_string(route.scope)));
  }
  std::ranges::sort(lines);
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

/// In the order in which they were told of, which is the same within a family: IPv6 is told of a little later.
std::string Side::describe(const net::Links& links) {
  std::string all;
  for (const std::string& name : all_interfaces) {
    const net::Interface* interface = links.find(name);
    if (interface == nullptr) continue;
    const auto lower = links.interfaces().find(interface->lower_index);
    all += fmt::format("{} {} on {}, {:02x}:", name, interface->up ? "up" : "down",
                       lower == links.interfaces().end() ? "nothing" : lower->second.name,
                       fmt::join(interface->mac.value_or(net::Mac{}), ":"));
    for (const net::Family family : {net::Family::ipv4, net::Family::ipv6}) {
      for (const auto& address : interface->addresses) {
        if (address.prefix.address.family() == family) all += text(address);
      }
    }
    all += "\n";
  }
  return all;
}

RealSide::RealSide() {
  there_.sysctl("ipv6/conf/default/addr_gen_mode", "1");  // else each would give itself a link-local address
  for (const std::string interface : {"eth0", "eth1"}) {
    topology_.add_network(network_of(interface));
    topology_.connect(there_, network_of(interface), interface, {});
  }
  REQUIRE(host_.open());
  auto links = host_.follow_links(loop_, [](const std::string&) {});
  REQUIRE(links);
  links_ = std::move(*links);
}

int RealSide::index_of(const std::string& interface) {
  const auto index = static_cast<int>(if_nametoindex(interface.c_str()));
  return index == 0 ? none : index;
}

void RealSide::set_carrier(const std::string& interface, bool carrier) {
  carrier ? topology_.restore(there_, network_of(interface)) : topology_.cut(there_, network_of(interface));
}

bool RealSide::add_address(const std::string& interface, const net::Prefix& prefix) {
  return index_of(interface) != none && succeeds([&] { there_.rtnetlink.add_address(interface, prefix); });
}

bool RealSide::add_default_route(const net::Address& via) {
  return succeeds([&] { there_.rtnetlink.add_default_route(via); });
}

std::string RealSide::interfaces() {
  REQUIRE(loop_.turn(0s));
  return describe(*links_);
}

lab::Host& RealSide::add_neighbour(const std::vector<std::string>& on_eth0, const std::vector<std::string>& on_eth1) {
  lab::Host& neighbour = topology_.add_host("p");
  neighbour.sysctl("ipv6/conf/default/addr_gen_mode", "1");
  topology_.connect(neighbour, network_of("eth0"), "eth0", on_eth0);
  topology_.connect(neighbour, network_of("eth1"), "eth1", on_eth1);
  return neighbour;
}

net::Mac RealSide::mac_of(const std::string& interface) const { return links_->find(interface)->mac.value(); }

/// As MemoryHost::set_forgets_prefix_routes has it, found out in a namespace that is gone afterwards.
static bool kernel_forgets_prefix_routes() {
  RealSide side;
  const auto address = lab::prefix("2001:db8:ffff::1/64");
  REQUIRE(side.add_address("eth0", address));
  const net::Leases::Request lease{.interface_index = side.index_of("eth0"), .prefix = address};
  REQUIRE(side.host().lease_address(lease, 100s));
  return !side.host().route_to(lab::address("2001:db8:ffff::9"));
}

MemorySide::MemorySide(const RealSide& like) {
  static const bool forgets = kernel_forgets_prefix_routes();
  host_.set_forgets_prefix_routes(forgets);
  for (const std::string interface : {"eth0", "eth1"}) host_.add_interface(interface, like.mac_of(interface));
  links_ = host_.follow_links(loop_, [](const std::string&) {}).value();
}

int MemorySide::index_of(const std::string& interface) {
  (void)interfaces();
  const net::Interface* found = links_->find(interface);
  return found == nullptr ? none : found->index;
}

void MemorySide::set_carrier(const std::string& interface, bool carrier) { host_.set_carrier(interface, carrier); }

bool MemorySide::add_address(const std::string& interface, const net::Prefix& prefix) {
  return host_.add_address(interface, prefix).has_value();
}

bool MemorySide::add_default_route(const net::Address& via) { return host_.set_default_route(via).has_value(); }

std::string MemorySide::interfaces() {
  REQUIRE(loop_.turn(0s));
  return describe(*links_);
}

std::string interfaces_like(Side& side, const std::string& expected) {
  std::string seen;
  lab::wait_until(
      [&] {
        seen = side.interfaces();
        return seen == expected;
      },
      3s);
  return seen;
}
