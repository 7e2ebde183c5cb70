#include "net/memory_network.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/check.h"

namespace net {

namespace {

constexpr auto setting_roots = {"net/ipv4/conf/", "net/ipv6/conf/"};

using Settings = std::map<std::string, std::string>;

void add_settings(Settings& settings, const std::string& interface) {
  for (const std::string root : setting_roots) {
    const std::string from = root + "default/";
    Settings made;
    for (auto each = settings.lower_bound(from); each != settings.end() && each->first.starts_with(from); ++each) {
      made.emplace(root + interface + "/" + each->first.substr(from.size()), each->second);
    }
    settings.merge(made);
  }
}

void remove_settings(Settings& settings, const std::string& interface) {
  for (const std::string root : setting_roots) {
    const std::string prefix = root + interface + "/";
    std::erase_if(settings, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  }
}

bool is_usable(const Mac& mac) { return mac != Mac{} && (mac[0] & std::byte{1}) == std::byte{0}; }

}  // namespace

MemoryNetwork::MemoryNetwork(const Clock& clock, Settings& settings) : clock_(clock), settings_(settings) {}

const MemoryInterface* MemoryNetwork::find(int index) const {
  const auto found = interfaces_.find(index);
  return found == interfaces_.end() ? nullptr : &found->second;
}

MemoryInterface* MemoryNetwork::find(int index) {
  return const_cast<MemoryInterface*>(std::as_const(*this).find(index));
}

MemoryInterface* MemoryNetwork::find(const std::string& name) {
  const auto found = std::ranges::find_if(interfaces_, [&](const auto& entry) { return entry.second.name == name; });
  return found == interfaces_.end() ? nullptr : &found->second;
}

bool MemoryNetwork::has_carrier(const MemoryInterface& interface) const {
  if (interface.lower_index == 0) return interface.cable;
  const MemoryInterface* lower = find(interface.lower_index);
  return lower != nullptr && is_up(*lower);
}

bool MemoryNetwork::is_up(const MemoryInterface& interface) const {
  return interface.enabled && has_carrier(interface);
}

MemoryInterface& MemoryNetwork::add_interface(const std::string& name, std::optional<Mac> mac, int lower_index) {
  check(find(name) == nullptr, "an interface's name is its own");
  add_settings(settings_, name);
  const int index = next_index_++;
  return interfaces_[index] = {.index = index, .name = name, .lower_index = lower_index, .mac = mac};
}

int MemoryNetwork::make_macvlan(const Macvlans::Spec& wanted) {
  if (!is_usable(wanted.mac)) return EADDRNOTAVAIL;
  if (const MemoryInterface* there = find(wanted.name)) {
    return there->lower_index == wanted.lower_index && there->mac == wanted.mac ? 0 : EEXIST;
  }
  const MemoryInterface* lower = find(wanted.lower_index);
  if (lower == nullptr) return ENODEV;
  if (!lower->mac) return EINVAL;
  add_interface(wanted.name, wanted.mac, wanted.lower_index);
  return 0;
}

int MemoryNetwork::set_up(int index, bool up) {
  MemoryInterface* interface = find(index);
  if (interface == nullptr) return ENODEV;
  if (interface->enabled == up) return 0;
  if (up && interface->lower_index != 0) {
    const bool taken = std::ranges::any_of(interfaces_, [&](const auto& entry) {
      const MemoryInterface& other = entry.second;
      const bool beside = other.lower_index == interface->lower_index && other.enabled;
      return other.mac == interface->mac && (beside || other.index == interface->lower_index);
    });
    if (taken) return EADDRINUSE;
  }
  interface->enabled = up;
  if (!up) {
    // Routes that are good for this host alone stay, as its addresses' own do.
    routes_.remove_if([&](const MemoryRoute& route) {
      const RouteEntry& entry = route.entry;
      return entry.interface_index == index && (entry.to.address.is_v6() || entry.scope != Scope::host);
    });
    interface->ipv6.clear();
  }
  derive_ipv4_routes(*interface);
  if (up) {
    for (const MemoryAddress& address : interface->ipv6) {
      if (!address.lease) add_prefix_route(*interface, address);
    }
  }
  return 0;
}

int MemoryNetwork::remove_interface(int index) {
  const auto found = interfaces_.find(index);
  if (found == interfaces_.end()) return ENODEV;
  if (!found->second.mac) return EOPNOTSUPP;
  const MemoryInterface gone = std::move(found->second);
  interfaces_.erase(found);
  for (const MemoryAddress& address : gone.ipv4) {
    if (address.secondary) continue;  // the kernel passes over those whose primary is gone
    const Prefix& prefix = address.prefix();
    routes_.remove_if([&](const MemoryRoute& route) {
      const RouteEntry& entry = route.entry;
      return entry.interface_index == index && entry.to.length == 32 && entry.to.address == prefix.address &&
             entry.source == prefix.address;
    });
    forget_ipv4_source(prefix.address);
  }
  routes_.remove_if([&](const MemoryRoute& route) { return route.entry.interface_index == index; });
  remove_settings(settings_, gone.name);
  std::vector<int> upper;
  for (const auto& [other, interface] : interfaces_) {
    if (interface.lower_index == index) upper.push_back(other);
  }
  for (const int each : upper) remove_interface(each);
  return 0;
}

bool MemoryNetwork::expire() {
  const Instant now = clock_.now();
  bool changed = false;
  for (auto& [index, interface] : interfaces_) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      auto& addresses = interface.of(family);
      const auto over = [&](const MemoryAddress& address) { return address.until() <= now; };
      for (auto found = std::ranges::find_if(addresses, over); found != addresses.end();
           found = std::ranges::find_if(addresses, over)) {
        const auto at = static_cast<std::size_t>(found - addresses.begin());
        family == Family::ipv4 ? remove_ipv4(interface, at) : remove_ipv6(interface, at);
        changed = true;
      }
    }
  }
  routes_.remove_if([&](const MemoryRoute& route) { return route.until && *route.until <= now; });
  return changed;
}

std::optional<Instant> MemoryNetwork::next_expiry() const {
  Instant next = Instant::max();
  for (const auto& [index, interface] : interfaces_) {
    for (const Family family : {Family::ipv4, Family::ipv6}) {
      for (const MemoryAddress& address : interface.of(family)) next = std::min(next, address.until());
    }
  }
  for (const MemoryRoute& route : routes_.all()) next = std::min(next, route.until.value_or(Instant::max()));
  return next == Instant::max() ? std::nullopt : std::optional(next);
}

}  // namespace net
