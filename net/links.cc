#include "net/links.h"

#include <fmt/format.h>

#include <algorithm>

namespace net {

const InterfaceAddress* Interface::find(const Prefix& prefix) const {
  const auto found = std::ranges::find(addresses, prefix, &InterfaceAddress::prefix);
  return found == addresses.end() ? nullptr : &*found;
}

std::set<std::string> changed_names(const std::map<int, Interface>& before, const std::map<int, Interface>& after) {
  std::set<std::string> changed;
  for (const auto& [index, interface] : after) {
    const auto was = before.find(index);
    if (was != before.end() && was->second == interface) continue;
    changed.insert(interface.name);
    if (was != before.end()) changed.insert(was->second.name);
  }
  for (const auto& [index, interface] : before) {
    if (!after.contains(index)) changed.insert(interface.name);
  }
  return changed;
}

const Interface* Links::find(std::string_view name) const {
  const auto found =
      std::ranges::find(interfaces(), name, [](const auto& entry) { return std::string_view(entry.second.name); });
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
