#include "net/links.h"

#include <fmt/format.h>

#include <algorithm>

namespace net {

const InterfaceAddress* Interface::find(const Prefix& prefix) const {
  const auto found = std::ranges::find(addresses, prefix, &InterfaceAddress::prefix);
  return found == addresses.end() ? nullptr : &*found;
}

bool Interface::is_called(std::string_view other) const {
  return other == name || std::ranges::find(altnames, other) != altnames.end();
}

namespace {

void add_names(const Interface& interface, std::set<std::string>& names) {
  names.insert(interface.name);
  names.insert(interface.altnames.begin(), interface.altnames.end());
}

}  // namespace

std::set<std::string> changed_names(const std::map<int, Interface>& before, const std::map<int, Interface>& after) {
  std::set<std::string> changed;
  for (const auto& [index, interface] : after) {
    const auto was = before.find(index);
    if (was != before.end() && was->second == interface) continue;
    add_names(interface, changed);
    if (was != before.end()) add_names(was->second, changed);
  }
  for (const auto& [index, interface] : before) {
    if (!after.contains(index)) add_names(interface, changed);
  }
  return changed;
}

const Interface* Links::find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(interfaces(), [&](const auto& entry) { return entry.second.is_called(name); });
  return found == interfaces().end() ? nullptr : &found->second;
}

const Interface* Links::find(int index) const {
  const auto found = interfaces().find(index);
  return found == interfaces().end() ? nullptr : &found->second;
}

std::string to_string(const Mac& mac) {
  std::string text;
  for (const std::byte byte : mac) text += fmt::format("{}{:02x}", text.empty() ? "" : ":", std::to_integer<int>(byte));
  return text;
}

}  // namespace net
